//! Turns facts about an operation into a decision.
