//! A socket that never waits, in the clear or with TLS.

use std::io::{self, IoSlice, Read, Write};
use std::net::SocketAddr;

use mio::net::TcpStream;
use mio::{Interest, Registry, Token};
use rustls::ClientConnection;

use crate::tls::{Tls, server_name};

/// Where bytes go to and come from.
#[derive(Debug)]
pub(crate) enum Transport {
    Plain(TcpStream),
    Tls(Box<TlsStream>),
}

#[derive(Debug)]
pub(crate) struct TlsStream {
    socket: TcpStream,
    session: ClientConnection,
}

impl Transport {
    /// Begins to connect to `address`, for TLS if `tls` is given.
    pub(crate) fn connect(address: SocketAddr, tls: Option<(&Tls, &str)>) -> io::Result<Self> {
        let socket = TcpStream::connect(address)?;
        // A socket that refuses this works nevertheless, only slower.
        let _ = socket.set_nodelay(true);
        let Some((tls, host)) = tls else {
            return Ok(Self::Plain(socket));
        };
        let name = server_name(host).ok_or_else(|| {
            io::Error::other(rustls::Error::General(format!("{host} is no name for TLS")))
        })?;
        let session = ClientConnection::new(tls.config(), name).map_err(io::Error::other)?;
        Ok(Self::Tls(Box::new(TlsStream { socket, session })))
    }

    pub(crate) fn register(&mut self, registry: &Registry, token: Token) -> io::Result<()> {
        registry.register(
            self.socket_mut(),
            token,
            Interest::READABLE | Interest::WRITABLE,
        )
    }

    fn socket_mut(&mut self) -> &mut TcpStream {
        match self {
            Self::Plain(socket) => socket,
            Self::Tls(stream) => &mut stream.socket,
        }
    }

    /// The socket itself, for what is said before TLS begins.
    pub(crate) fn below_tls(&mut self) -> &mut (impl Read + Write) {
        self.socket_mut()
    }

    /// Whether the connection is made; an error if it cannot be.
    pub(crate) fn is_connected(&mut self) -> io::Result<bool> {
        let socket = self.socket_mut();
        if let Some(error) = socket.take_error()? {
            return Err(error);
        }
        match socket.peer_addr() {
            Ok(_) => Ok(true),
            Err(error) if error.kind() == io::ErrorKind::NotConnected => Ok(false),
            Err(error) => Err(error),
        }
    }

    /// The error that has come in beside the stream, if any; it is told once.
    pub(crate) fn take_error(&mut self) -> Option<i32> {
        let error = self.socket_mut().take_error().ok()??;
        error.raw_os_error()
    }

    /// Goes on with the handshake; whether it is done.
    pub(crate) fn handshake(&mut self) -> io::Result<bool> {
        let Self::Tls(stream) = self else {
            return Ok(true);
        };
        while stream.session.is_handshaking() {
            if let Err(error) = stream.flush() {
                return would_block_is(error, false);
            }
            if !stream.session.is_handshaking() {
                break;
            }
            match stream.receive() {
                Ok(0) => return Err(io::ErrorKind::UnexpectedEof.into()),
                Ok(_) => {}
                Err(error) => {
                    // What went wrong is told to the server, as far as it listens.
                    let _ = stream.flush();
                    return would_block_is(error, false);
                }
            }
        }
        match stream.flush() {
            Ok(()) => Ok(true),
            Err(error) => would_block_is(error, true),
        }
    }

    /// Writes as much as fits of two pieces; returns how many bytes.
    pub(crate) fn write(&mut self, head: &[u8], body: &[u8]) -> io::Result<usize> {
        let pieces = [IoSlice::new(head), IoSlice::new(body)];
        match self {
            Self::Plain(socket) if body.is_empty() => socket.write(head),
            Self::Plain(socket) => socket.write_vectored(&pieces),
            Self::Tls(stream) => {
                let written = stream.session.writer().write_vectored(&pieces)?;
                match stream.flush() {
                    Err(error) if error.kind() != io::ErrorKind::WouldBlock => Err(error),
                    Err(error) if written == 0 => Err(error),
                    _ => Ok(written),
                }
            }
        }
    }

    /// Sends what TLS still holds back.
    pub(crate) fn flush(&mut self) -> io::Result<()> {
        match self {
            Self::Plain(_) => Ok(()),
            Self::Tls(stream) => stream.flush().or_else(|error| would_block_is(error, ())),
        }
    }

    /// Reads some bytes; 0 is the end.
    pub(crate) fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        match self {
            Self::Plain(socket) => socket.read(buffer),
            Self::Tls(stream) => stream.read(buffer),
        }
    }

    /// Whether nothing can be left after a read of `count` bytes into `room`: a
    /// short read empties a socket, see epoll(7).
    pub(crate) fn is_drained(&self, count: usize, room: usize) -> bool {
        matches!(self, Self::Plain(_)) && count < room
    }
}

impl TlsStream {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        loop {
            match self.session.reader().read(buffer) {
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {}
                // Many servers end a connection without saying so first.
                Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => return Ok(0),
                read => return read,
            }
            if self.receive()? == 0 {
                return Ok(0);
            }
        }
    }

    /// Takes in one piece from the socket; 0 is the end.
    fn receive(&mut self) -> io::Result<usize> {
        let count = self.session.read_tls(&mut self.socket)?;
        self.session
            .process_new_packets()
            .map_err(io::Error::other)?;
        if self.session.wants_write() && !self.session.is_handshaking() {
            self.flush().or_else(|error| would_block_is(error, ()))?;
        }
        Ok(count)
    }

    fn flush(&mut self) -> io::Result<()> {
        while self.session.wants_write() {
            self.session.write_tls(&mut self.socket)?;
        }
        Ok(())
    }
}

fn would_block_is<T>(error: io::Error, value: T) -> io::Result<T> {
    if error.kind() == io::ErrorKind::WouldBlock {
        Ok(value)
    } else {
        Err(error)
    }
}
