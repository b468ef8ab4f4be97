//! The command line of acrida: flags, where they may be set, and what they do.
//!
//! Whoever can execute users (the Python boundary, or a test) reads an
//! [`Invocation`](invocation::Invocation), has it prepared by
//! [`command::prepare`], and drives a [`Run`](run::Run) as its
//! [`Host`](run::Host).

pub mod command;
pub mod commands;
pub mod config;
mod early;
pub mod exit;
pub mod flags;
mod history_place;
pub mod invocation;
mod locustfiles;
pub mod logging;
pub mod options;
mod preflight;
pub mod run;
pub mod stepping;
pub mod task_ratio;
pub mod users;
mod watching;
mod web_call;

pub use locustfiles::{FILES_MAX, find_locustfiles};
