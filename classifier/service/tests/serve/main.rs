//! `classifier serve` as its clients see it: the real program, over real sockets.

mod access;
mod broken_requests;
mod crashes;
mod extras;
mod figures;
mod odd_images;
mod pictures;
mod predictions;
mod replicas;
mod retraining;
mod servers;
mod starting;
mod stopping;
mod storage;
mod support;
mod tls;
mod uploads;
