//! The server: one thread of its own, from the port to the last answer.

use std::io::{self, IsTerminal};
use std::net::{IpAddr, SocketAddr, TcpListener, ToSocketAddrs};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::thread::JoinHandle;
use std::time::Duration;

use acrida_engine::Control;
use axum_server::Handle;
use axum_server::tls_rustls::RustlsConfig;
use log::{error, info, warn};
use rustls::ServerConfig;
use rustls::crypto::ring;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};

use crate::guard::Names;
use crate::login::{Login, random_text};
use crate::routes::router;
use crate::shared::{Parts, Shared};
use crate::{Settings, Site, extension};

/// How long answers that are under way at the end are awaited.
const GRACE: Duration = Duration::from_secs(1);
/// Where log lines about the page come from.
const LOGGER: &str = "locust.web";

/// Where to listen, and how.
#[derive(Debug, Clone, Default)]
pub struct Address {
    /// `--web-host`: empty for this machine alone, `*` for every interface.
    pub host: String,
    /// `--web-port`.
    pub port: u16,
    /// `--web-host-display-name`.
    pub display_name: Option<String>,
    /// The machine's own name.
    pub machine: String,
    /// `--web-base-path`: empty, or `/` and a path without `/` at its end.
    pub base_path: String,
    /// `--tls-cert` and `--tls-key`.
    pub tls: Option<Tls>,
    /// `--web-login`: the password, or nothing for one that is made up and logged.
    pub login: Option<Option<String>>,
}

/// Files with a certificate and its key, in PEM.
#[derive(Debug, Clone)]
pub struct Tls {
    /// The certificate, and those that vouch for it.
    pub cert: PathBuf,
    /// Its key.
    pub key: PathBuf,
}

/// Why there is no page.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    #[error("cannot listen on {address}: {source}; choose another --web-port or --web-host")]
    #[expect(missing_docs, reason = "the message says it")]
    Listen { address: String, source: io::Error },
    #[error("cannot use the certificate {path}: {reason}")]
    #[expect(missing_docs, reason = "the message says it")]
    Certificate { path: PathBuf, reason: String },
    #[error("the system refuses to start the web page")]
    #[expect(missing_docs, reason = "the message says it")]
    System(#[from] io::Error),
}

/// A port that is taken, and not served yet.
#[derive(Debug)]
pub struct Setup {
    address: Address,
    listener: TcpListener,
    tls: Option<RustlsConfig>,
}

impl Setup {
    /// The port that was taken.
    ///
    /// # Errors
    ///
    /// If the system does not say.
    pub fn port(&self) -> io::Result<u16> {
        Ok(self.listener.local_addr()?.port())
    }
}

/// The page, while it is served.
pub struct Page {
    shared: Arc<Shared>,
    handle: Handle<SocketAddr>,
    thread: JoinHandle<()>,
    port: u16,
    url: String,
}

impl Page {
    /// Takes the port.
    ///
    /// # Errors
    ///
    /// If the port is in use, or the certificate cannot be used.
    pub fn bind(address: Address) -> Result<Setup, StartError> {
        let host = match &*address.host {
            "" => "127.0.0.1",
            "*" => "0.0.0.0",
            host => host,
        };
        let listen = |source| StartError::Listen {
            address: format!("{host}:{}", address.port),
            source,
        };
        let sockets: Vec<SocketAddr> = (host, address.port)
            .to_socket_addrs()
            .map_err(listen)?
            .collect();
        let listener = TcpListener::bind(&*sockets).map_err(listen)?;
        listener.set_nonblocking(true)?;
        let tls = address.tls.as_ref().map(load).transpose()?;
        Ok(Setup {
            address,
            listener,
            tls,
        })
    }

    /// Serves the page of `site`, whose run is told what to do by `control`.
    ///
    /// # Errors
    ///
    /// If the system refuses a thread.
    pub fn start(
        setup: Setup,
        site: Arc<dyn Site>,
        control: Control,
        settings: Settings,
    ) -> Result<Self, StartError> {
        let Setup {
            address,
            listener,
            tls,
        } = setup;
        let bound = listener.local_addr()?;
        let login_is_ours = !settings.extension.as_ref().is_some_and(|own| own.logs_in);
        let login = address
            .login
            .as_ref()
            .filter(|_| login_is_ours)
            .map(|password| login(password.as_deref()));
        let url = url(&address, bound);
        announce(&url, bound, address.login.is_some());
        let names = [
            address.host.clone(),
            address.machine,
            address.display_name.unwrap_or_default(),
        ];
        let shared = Arc::new(Shared::new(Parts {
            site,
            control,
            settings,
            base_path: address.base_path,
            names: Names::new(names),
            login,
            secure: tls.is_some(),
        }));
        let handle = Handle::new();
        let (served, stopper) = (Arc::clone(&shared), handle.clone());
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()?;
        let thread = std::thread::Builder::new()
            .name("acrida-web".to_owned())
            .spawn(move || {
                if let Err(problem) = runtime.block_on(serve(listener, tls, served, stopper)) {
                    error!(target: LOGGER, "The web page has ended: {problem}");
                }
            })?;
        Ok(Self {
            shared,
            handle,
            thread,
            port: bound.port(),
            url,
        })
    }

    /// Where it is found.
    pub fn url(&self) -> &str {
        &self.url
    }

    /// The port that it listens on.
    pub fn port(&self) -> u16 {
        self.port
    }

    /// To be called about once a second: what open pages see moves on.
    pub fn beat(&self) {
        self.shared.beat();
    }

    /// Ends the server; answers that are under way have a second to get out.
    pub fn stop(self) {
        self.shared.close();
        self.handle.graceful_shutdown(Some(GRACE));
        // A panic in the thread was printed when it happened.
        let _ = self.thread.join();
    }
}

impl std::fmt::Debug for Page {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Page")
            .field("port", &self.port)
            .finish_non_exhaustive()
    }
}

async fn serve(
    listener: TcpListener,
    tls: Option<RustlsConfig>,
    shared: Arc<Shared>,
    handle: Handle<SocketAddr>,
) -> io::Result<()> {
    if let Some(extension) = &shared.settings.extension {
        tokio::spawn(extension::serve(extension, Arc::clone(&shared))?);
    }
    let service = router(shared).into_make_service();
    match tls {
        Some(tls) => {
            axum_server::from_tcp_rustls(listener, tls)?
                .handle(handle)
                .serve(service)
                .await
        }
        None => {
            axum_server::from_tcp(listener)?
                .handle(handle)
                .serve(service)
                .await
        }
    }
}

fn login(password: Option<&str>) -> Login {
    let password = password.map_or_else(
        || {
            let password = random_text();
            info!(target: LOGGER, "The password of the web page is {password}");
            password
        },
        str::to_owned,
    );
    Login::new(password)
}

/// Where the page is found.
fn url(address: &Address, bound: SocketAddr) -> String {
    let scheme = if address.tls.is_some() {
        "https"
    } else {
        "http"
    };
    let host = match (&address.display_name, bound.ip()) {
        (Some(name), _) => name.clone(),
        (None, ip) if ip.is_unspecified() => "localhost".to_owned(),
        (None, IpAddr::V6(ip)) => format!("[{ip}]"),
        (None, IpAddr::V4(ip)) => ip.to_string(),
    };
    format!("{scheme}://{host}:{}{}", bound.port(), address.base_path)
}

fn announce(url: &str, bound: SocketAddr, login: bool) {
    let hint = if io::stdin().is_terminal() {
        ", press enter to open it in your browser"
    } else {
        ""
    };
    info!(target: LOGGER, "Starting web interface at {url}{hint}");
    if !bound.ip().is_loopback() && !login {
        warn!(
            target: LOGGER,
            "Everybody who reaches {bound} can start load from this machine: add --web-login, or leave --web-host out"
        );
    }
}

fn load(tls: &Tls) -> Result<RustlsConfig, StartError> {
    let unusable = |path: &Path, reason: String| StartError::Certificate {
        path: path.to_owned(),
        reason,
    };
    let chain: Result<Vec<_>, _> =
        CertificateDer::pem_file_iter(&tls.cert).and_then(Iterator::collect);
    let chain = chain.map_err(|error| unusable(&tls.cert, error.to_string()))?;
    let key = PrivateKeyDer::from_pem_file(&tls.key)
        .map_err(|error| unusable(&tls.key, error.to_string()))?;
    let mut config = ServerConfig::builder_with_provider(Arc::new(ring::default_provider()))
        .with_safe_default_protocol_versions()
        .expect("ring speaks TLS 1.2 and 1.3")
        .with_no_client_auth()
        .with_single_cert(chain, key)
        .map_err(|error| unusable(&tls.cert, error.to_string()))?;
    config.alpn_protocols = vec![b"http/1.1".to_vec()];
    Ok(RustlsConfig::from_config(Arc::new(config)))
}
