//! Finds secrets and personal data in text and JSON and makes redacted copies.
