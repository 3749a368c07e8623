//! Defenter's settings and every MCP client's config: find, read, rewrite, restore.
