//! Answers of our own.
//!
//! Owns: our error codes. (The texts and builders follow.)

/// JSON-RPC: the line is not one JSON text.
pub const PARSE_ERROR: i32 = -32700;
/// JSON-RPC: the line is JSON but no message that all parsers read the same way.
pub const INVALID_REQUEST: i32 = -32600;
