//! `classifier serve` as its clients see it: the real program, over real sockets.

mod access;
mod broken_requests;
mod crashes;
mod figures;
mod pictures;
mod predictions;
mod replicas;
mod retraining;
mod servers;
mod starting;
mod stopping;
mod storage;
mod support;
mod uploads;
