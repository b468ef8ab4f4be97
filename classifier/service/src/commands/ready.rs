//! `classifier ready`: what a container's health check runs, where there is no other HTTP client.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::time::Duration;

use anyhow::{Context, Result, bail};

/// For a connection, and for each part of the answer.
const ANSWER_WITHIN: Duration = Duration::from_secs(2);
/// Of the answer's first line, no more is read.
const LINE_BYTES_MAX: u64 = 1_000;

/// Flags of `classifier ready`.
#[derive(Debug, clap::Args)]
pub(crate) struct ReadyArgs {
    /// Where the service listens
    #[arg(value_name = "ADDRESS", default_value = "127.0.0.1:8000")]
    address: SocketAddr,
}

pub(crate) fn run(args: &ReadyArgs) -> Result<()> {
    let address = args.address;
    let unanswered = || format!("no answer from {address}");
    let mut socket =
        TcpStream::connect_timeout(&address, ANSWER_WITHIN).with_context(unanswered)?;
    socket.set_read_timeout(Some(ANSWER_WITHIN))?;
    socket.set_write_timeout(Some(ANSWER_WITHIN))?;
    let request = format!("GET /ready HTTP/1.1\r\nHost: {address}\r\nConnection: close\r\n\r\n");
    socket
        .write_all(request.as_bytes())
        .with_context(unanswered)?;
    let mut line = String::new();
    BufReader::new(socket.take(LINE_BYTES_MAX))
        .read_line(&mut line)
        .with_context(unanswered)?;
    if line.starts_with("HTTP/1.1 200 ") {
        return Ok(());
    }
    bail!("{address} is not ready: it answers {:?}", line.trim_end());
}
