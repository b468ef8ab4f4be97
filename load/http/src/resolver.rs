//! Looking up names, on a thread that may wait.

use std::io;
use std::net::{IpAddr, SocketAddr, ToSocketAddrs};
use std::sync::{Arc, mpsc};

use crate::inbox::{Inbox, Message};

/// A host and port to look up.
pub(crate) type Name = (String, u16);

/// What getaddrinfo says about a name.
#[derive(Debug)]
pub(crate) struct Resolved {
    pub(crate) name: Name,
    pub(crate) addresses: Result<Vec<SocketAddr>, LookupError>,
}

/// Why a name has no address.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct LookupError {
    pub(crate) code: i32,
    pub(crate) reason: String,
}

/// The address that `host` is, if it is one.
pub(crate) fn literal(host: &str, port: u16) -> Option<SocketAddr> {
    host.parse::<IpAddr>()
        .ok()
        .map(|ip| SocketAddr::new(ip, port))
}

/// Starts the thread; it ends when the sender is dropped.
pub(crate) fn start(inbox: Arc<Inbox>) -> io::Result<mpsc::Sender<Name>> {
    let (sender, names) = mpsc::channel::<Name>();
    std::thread::Builder::new()
        .name("acrida-resolver".to_owned())
        .spawn(move || {
            for name in names {
                let addresses = look_up(&name);
                inbox.push(Message::Resolved(Resolved { name, addresses }));
                inbox.wake();
            }
        })?;
    Ok(sender)
}

fn look_up((host, port): &Name) -> Result<Vec<SocketAddr>, LookupError> {
    match (host.as_str(), *port).to_socket_addrs() {
        Ok(addresses) => Ok(addresses.collect()),
        Err(error) => Err(LookupError::new(&error.to_string())),
    }
}

impl LookupError {
    /// Nobody could be asked.
    pub(crate) fn no_thread() -> Self {
        Self {
            code: -3,
            reason: "the system refuses a thread to look up names".to_owned(),
        }
    }

    /// From the standard library's words, which end with getaddrinfo's.
    fn new(text: &str) -> Self {
        let reason = text.rsplit(": ").next().unwrap_or(text);
        // Source: netdb.h of glibc.
        let code = match reason {
            "Temporary failure in name resolution" => -3,
            "Non-recoverable failure in name resolution" => -4,
            "No address associated with hostname" => -5,
            _ => -2,
        };
        Self {
            code,
            reason: reason.to_owned(),
        }
    }
}
