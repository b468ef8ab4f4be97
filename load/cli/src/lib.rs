//! The command line of acrida: flags, where they may be set, and what they do.
//!
//! Whoever can execute users (the Python boundary, or a test) reads an
//! [`Invocation`](invocation::Invocation), loads the locustfiles that it names,
//! and gets the [`Options`](options::Options) of the run.

pub mod config;
mod early;
pub mod exit;
pub mod flags;
pub mod invocation;
mod locustfiles;
pub mod logging;
pub mod options;

pub use locustfiles::FILES_MAX;
