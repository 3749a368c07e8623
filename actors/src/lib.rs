//! The moving parts: who supervises whom, and the data path of a session.
