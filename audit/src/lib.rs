//! The record of what was decided: append, chain, rotate, read, verify.
