//! `bench-target`: a small, fast HTTP/1.1 server that knows exactly what it served.
//!
//! Load generators are measured and tested against it. One thread, so that it
//! can be pinned to one core; loopback only. `bench-target [PORT]` prints
//! `listening on http://127.0.0.1:PORT` once it accepts connections, and runs
//! until it is killed. What it answers stands in [`site`].

mod connection;
mod request;
mod server;
mod site;

use std::io::Write;
use std::net::{Ipv4Addr, TcpListener};

use anyhow::Context;

fn main() -> anyhow::Result<()> {
    let port = match std::env::args().nth(1) {
        Some(text) => text
            .parse()
            .with_context(|| format!("not a port: {text}"))?,
        None => 0,
    };
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, port))
        .with_context(|| format!("cannot listen on port {port}"))?;
    let address = listener.local_addr()?;
    let mut stdout = std::io::stdout();
    writeln!(stdout, "listening on http://{address}")?;
    stdout.flush()?;
    server::run(&listener).context("the server has stopped")
}
