//! Exchanges with real sockets: servers that answer from a script, on loopback.

mod connections;
mod failures;
mod proxies;
mod redirects;
mod streams;
mod support;
mod times;
mod tls;
