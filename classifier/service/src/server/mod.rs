//! Connections: accepted within limits, and finished in order when told to stop.

mod signals;
mod tls;

use std::io;
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use axum::Router;
use hyper::Request;
use hyper::body::Incoming;
use hyper::header::{CONNECTION, HeaderValue};
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::server::graceful::{GracefulShutdown, Watcher};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Semaphore;
use tokio::time::{sleep, timeout};
use tokio_rustls::TlsAcceptor;
use tower_service::Service;

pub(crate) use signals::StopSignals;
pub(crate) use tls::acceptor;

/// Bytes that a request's head may have; hyper answers 431 to more.
const HEAD_BYTES_MAX: usize = 64 * 1024;
/// Pause after the system had no socket to give, such as when all file
/// descriptors are in use; without it the loop would spin.
const ACCEPT_PAUSE: Duration = Duration::from_millis(50);

const CLOSE: HeaderValue = HeaderValue::from_static("close");

/// How connections are made, and their limits.
#[derive(Clone)]
pub(crate) struct Connections {
    /// `None` for plain HTTP.
    pub(crate) tls: Option<TlsAcceptor>,
    /// At once; further ones wait in the system's queue.
    pub(crate) connections_max: usize,
    /// For the head of a request to arrive, from the end of the one before; and for TLS to be agreed upon.
    pub(crate) head_within: Duration,
    /// To go on as before, once told to stop, while those who ask hear that others should be
    /// asked; `None` not to.
    pub(crate) drain_delay: Option<Duration>,
    /// For open requests to finish after that.
    pub(crate) drain_within: Duration,
}

/// Who a request comes from: in its extensions.
#[derive(Clone, Copy, Debug)]
pub(crate) struct ClientAddress(pub(crate) IpAddr);

/// How serving came to its end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Ending {
    /// Every request that had begun was answered.
    Drained,
    /// Requests were cut off, by the drain limit or by a second signal.
    CutOff,
}

/// Answers connections until the first signal and for the delay after it, and open requests
/// after that. `draining` tells that there was a signal.
pub(crate) async fn serve(
    listener: TcpListener,
    router: Router,
    limits: Connections,
    mut signals: StopSignals,
    draining: Arc<AtomicBool>,
) -> Ending {
    let connections = GracefulShutdown::new();
    let first_signal = async {
        signals.next().await;
        draining.store(true, Ordering::Relaxed);
        if let Some(delay) = limits.drain_delay {
            // A second signal ends the delay.
            let _ = timeout(delay, signals.next()).await;
        }
    };
    tokio::select! {
        () = accept_all(listener, router, &limits, &connections, &draining) => {}
        () = first_signal => {}
    }
    tokio::select! {
        drained = timeout(limits.drain_within, connections.shutdown()) => match drained {
            Ok(()) => Ending::Drained,
            Err(_) => Ending::CutOff,
        },
        () = signals.next() => Ending::CutOff,
    }
}

/// Never returns; dropping it closes the listener.
async fn accept_all(
    listener: TcpListener,
    router: Router,
    limits: &Connections,
    connections: &GracefulShutdown,
    draining: &Arc<AtomicBool>,
) {
    let mut http = http1::Builder::new();
    http.timer(TokioTimer::new())
        .header_read_timeout(limits.head_within)
        .max_buf_size(HEAD_BYTES_MAX);
    let places = Arc::new(Semaphore::new(limits.connections_max));
    loop {
        let place = Arc::clone(&places).acquire_owned().await;
        let place = place.expect("the semaphore is never closed");
        let (socket, client) = next_socket(&listener).await;
        let (router, http, watcher) = (router.clone(), http.clone(), connections.watcher());
        let (tls, within) = (limits.tls.clone(), limits.head_within);
        let draining = Arc::clone(draining);
        tokio::spawn(async move {
            match tls {
                None => answer(socket, client, &http, router, watcher, draining).await,
                Some(tls) => {
                    // A client that speaks no TLS, or not in time, has no connection.
                    if let Ok(Ok(socket)) = timeout(within, tls.accept(socket)).await {
                        answer(socket, client, &http, router, watcher, draining).await;
                    }
                }
            }
            drop(place);
        });
    }
}

/// Answers the requests of one connection.
async fn answer(
    socket: impl AsyncRead + AsyncWrite + Unpin + 'static,
    client: SocketAddr,
    http: &http1::Builder,
    router: Router,
    watcher: Watcher,
    draining: Arc<AtomicBool>,
) {
    let service = service_fn(move |mut request: Request<Incoming>| {
        request.extensions_mut().insert(ClientAddress(client.ip()));
        let (answer, draining) = (router.clone().call(request), Arc::clone(&draining));
        async move {
            let mut answer = answer.await;
            if let (Ok(answer), true) = (&mut answer, draining.load(Ordering::Relaxed)) {
                // The next request had better go elsewhere.
                answer.headers_mut().insert(CONNECTION, CLOSE);
            }
            answer
        }
    });
    let connection = http.serve_connection(TokioIo::new(socket), service);
    // A connection's errors are its client's: broken off, slow or malformed.
    let _ = watcher.watch(connection).await;
}

async fn next_socket(listener: &TcpListener) -> (TcpStream, SocketAddr) {
    loop {
        match listener.accept().await {
            Ok((socket, client)) => {
                // Only a socket that is gone already refuses this.
                let _ = socket.set_nodelay(true);
                return (socket, client);
            }
            Err(error) if is_the_connections_own(&error) => {}
            Err(_) => sleep(ACCEPT_PAUSE).await,
        }
    }
}

/// Whether one connection failed before it was accepted, and not the listener.
fn is_the_connections_own(error: &io::Error) -> bool {
    use io::ErrorKind::{ConnectionAborted, ConnectionRefused, ConnectionReset};
    matches!(
        error.kind(),
        ConnectionAborted | ConnectionRefused | ConnectionReset
    )
}
