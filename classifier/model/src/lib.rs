//! (crate documentation follows with its first code)
