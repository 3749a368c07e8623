//! The Model Context Protocol as bytes: frames, envelopes, the method catalogue, transports.
