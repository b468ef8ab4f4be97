//! Runs without Python, from their first action to their exit code.

mod course;
mod signals;
mod support;
mod unwritable;
