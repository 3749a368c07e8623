//! Defenter, the guard between AI clients and their MCP servers.
