//! `classifier serve` as its clients see it: the real program, over real sockets.

mod access;
mod broken_requests;
mod crashes;
mod extras;
mod figures;
mod odd_images;
mod pictures;
mod predictions;
mod retraining;
mod starting;
mod stopping;
mod support;
mod tls;
mod uploads;
