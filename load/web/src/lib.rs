//! The page and the HTTP interface of a run, on port 8089.
//!
//! ```text
//! Site (the run) -> Snapshot -> History, frames -> page (server-sent events)
//!        ^                      locust shapes   -> scripts (GET)
//!        +-- Command, Change <- POST /swarm, /stop, … <- both
//! ```
//!
//! [`Page::bind`] takes the port, so that a port in use is known before a run
//! begins; [`Page::start`] serves on one thread of its own; [`Page::beat`], called
//! about once a second, takes the one snapshot that every open page sees.
//! Deciding what a request means, what history keeps and how numbers look is pure
//! ([`history`], [`swarm`], [`guard`], and `acrida-report`); the rest is thin.
//!
//! Safe by default: see [`guard`]. Bounded: see [`history`].

mod answers;
mod assets;
mod downloads;
mod extension;
mod frame;
pub mod generator;
pub mod guard;
pub mod history;
mod index;
mod live;
mod login;
mod login_form;
mod page;
mod report;
mod routes;
mod shared;
mod site;
mod steering;
pub mod swarm;

pub use extension::Extension;
pub use page::{Address, Page, Setup, StartError, Tls};
pub use site::{Change, ClassInfo, ExtraOption, Settings, Shape, Site, UserChange};
