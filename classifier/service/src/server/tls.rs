//! TLS, when a certificate is configured.

use std::path::Path;
use std::sync::Arc;

use anyhow::{Context, Error, Result};
use rustls::ServerConfig;
use rustls::crypto::ring::default_provider;
use rustls::pki_types::pem::{Error as PemError, PemObject};
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use tokio_rustls::TlsAcceptor;

/// Reads a certificate, with those that it depends on behind it, and its key; both PEM.
pub(crate) fn acceptor(certificate: &Path, key: &Path) -> Result<TlsAcceptor> {
    let unread = |what: &str, path: &Path, error: PemError| match error {
        PemError::NoItemsFound => {
            Error::msg(format!("{} holds no {what} in PEM form", path.display()))
        }
        error => Error::msg(error).context(format!("cannot read the {what} in {}", path.display())),
    };
    let chain: Vec<CertificateDer<'static>> = CertificateDer::pem_file_iter(certificate)
        .and_then(Iterator::collect)
        .and_then(|chain: Vec<_>| {
            if chain.is_empty() {
                Err(PemError::NoItemsFound)
            } else {
                Ok(chain)
            }
        })
        .map_err(|error| unread("certificate", certificate, error))?;
    let private =
        PrivateKeyDer::from_pem_file(key).map_err(|error| unread("private key", key, error))?;
    let unusable = || {
        format!(
            "cannot use the certificate in {} with the private key in {}",
            certificate.display(),
            key.display()
        )
    };
    let mut config = ServerConfig::builder_with_provider(Arc::new(default_provider()))
        .with_safe_default_protocol_versions()
        .context("cannot set up TLS")?
        .with_no_client_auth()
        .with_single_cert(chain, private)
        .with_context(unusable)?;
    config.alpn_protocols = vec![b"http/1.1".to_vec()];
    Ok(TlsAcceptor::from(Arc::new(config)))
}
