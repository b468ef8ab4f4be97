//! `classifier serve` as its clients see it: the real program, over real sockets.

mod broken_requests;
mod predictions;
mod starting;
mod stopping;
mod support;
