//! Whom to trust, and who to be, when TLS is spoken.

use std::hash::{Hash, Hasher};
use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Arc, OnceLock};

use rustls::client::WebPkiServerVerifier;
use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::crypto::{CryptoProvider, WebPkiSupportedAlgorithms, ring};
use rustls::pki_types::{CertificateDer, PrivateKeyDer, ServerName, UnixTime};
use rustls::{
    CertificateError, ClientConfig, DigitallySignedStruct, OtherError, RootCertStore,
    SignatureScheme,
};
use rustls_pki_types::pem::PemObject;

use crate::error::{HttpError, Peer};

/// What a locustfile can ask for with `verify=` and `cert=`.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Default)]
pub struct TlsChoice {
    /// Whom to trust.
    pub trust: Trust,
    /// Files with one's own certificate and key; they may be the same.
    pub identity: Option<(PathBuf, PathBuf)>,
}

/// Whom to trust.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Default)]
pub enum Trust {
    /// Mozilla's list of authorities, as requests does.
    #[default]
    Authorities,
    /// The certificates in this file.
    File(PathBuf),
    /// Anybody: nothing is verified.
    Anybody,
}

/// Settings of TLS, loaded; cheap to clone. Connections are shared only between
/// requests with the same ones.
#[derive(Debug, Clone)]
pub struct Tls(Arc<ClientConfig>);

/// Why certificates or keys could not be loaded.
#[derive(Debug, thiserror::Error)]
pub enum TlsError {
    /// The file of `verify=` is missing or has no certificate in it.
    #[error("Could not find a suitable TLS CA certificate bundle, invalid path: {0}")]
    Trust(PathBuf),
    /// A file of `cert=` is missing: the certificate, or the key.
    #[error("Could not find the TLS {0} file, invalid path: {1}")]
    MissingIdentity(&'static str, PathBuf),
    /// A file of `cert=` cannot be used.
    #[error("Could not use the TLS certificate or key file {0}: {1}")]
    Identity(PathBuf, String),
}

impl Tls {
    /// Loads what was chosen.
    ///
    /// # Errors
    ///
    /// [`TlsError`] names the file.
    pub fn load(choice: &TlsChoice) -> Result<Self, TlsError> {
        let provider = Arc::new(ring::default_provider());
        let builder = ClientConfig::builder_with_provider(Arc::clone(&provider))
            .with_safe_default_protocol_versions()
            .expect("the provider knows the default versions")
            .dangerous()
            .with_custom_certificate_verifier(verifier(&choice.trust, &provider)?);
        let config = match &choice.identity {
            None => builder.with_no_client_auth(),
            Some((certificate, key)) => {
                let bad = |path: &Path| {
                    let path = path.to_owned();
                    move |error: String| TlsError::Identity(path, error)
                };
                for (what, path) in [("certificate", certificate), ("key", key)] {
                    if !path.exists() {
                        return Err(TlsError::MissingIdentity(what, path.clone()));
                    }
                }
                let chain = certificates(certificate).map_err(bad(certificate))?;
                let key_der = PrivateKeyDer::from_pem_file(key)
                    .map_err(|error| bad(key)(error.to_string()))?;
                builder
                    .with_client_auth_cert(chain, key_der)
                    .map_err(|error| bad(certificate)(error.to_string()))?
            }
        };
        Ok(Self(Arc::new(config)))
    }

    /// The default: trusts Mozilla's authorities and has no identity.
    pub(crate) fn default_choice() -> Self {
        static DEFAULT: OnceLock<Tls> = OnceLock::new();
        let load = || Self::load(&TlsChoice::default()).expect("the default needs no file");
        DEFAULT.get_or_init(load).clone()
    }

    pub(crate) fn config(&self) -> Arc<ClientConfig> {
        Arc::clone(&self.0)
    }
}

impl PartialEq for Tls {
    fn eq(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.0, &other.0)
    }
}

impl Eq for Tls {}

impl Hash for Tls {
    fn hash<H: Hasher>(&self, state: &mut H) {
        Arc::as_ptr(&self.0).hash(state);
    }
}

fn verifier(
    trust: &Trust,
    provider: &Arc<CryptoProvider>,
) -> Result<Arc<dyn ServerCertVerifier>, TlsError> {
    let algorithms = provider.signature_verification_algorithms;
    let (roots, trusted) = match trust {
        Trust::Anybody => return Ok(Arc::new(Anybody(algorithms))),
        Trust::Authorities => {
            let anchors = webpki_roots::TLS_SERVER_ROOTS.to_vec();
            (RootCertStore { roots: anchors }, Vec::new())
        }
        Trust::File(path) => {
            let missing = || TlsError::Trust(path.clone());
            let trusted = certificates(path).map_err(|_| missing())?;
            let mut roots = RootCertStore::empty();
            roots.add_parsable_certificates(trusted.iter().cloned());
            if roots.is_empty() {
                return Err(missing());
            }
            (roots, trusted)
        }
    };
    let chain = WebPkiServerVerifier::builder_with_provider(Arc::new(roots), Arc::clone(provider))
        .build()
        .expect("there are roots");
    Ok(Arc::new(Known {
        chain,
        provider: Arc::clone(provider),
        trusted,
    }))
}

fn certificates(path: &Path) -> Result<Vec<CertificateDer<'static>>, String> {
    let read = CertificateDer::pem_file_iter(path).map_err(|error| error.to_string())?;
    let all = read.collect::<Result<Vec<_>, _>>();
    let all = all.map_err(|error| error.to_string())?;
    if all.is_empty() {
        return Err("no certificate in it".to_owned());
    }
    Ok(all)
}

/// Verifies chains; a certificate that was itself given as trusted is one, too,
/// even if it is marked as an authority's, as OpenSSL sees it.
#[derive(Debug)]
struct Known {
    chain: Arc<WebPkiServerVerifier>,
    provider: Arc<CryptoProvider>,
    trusted: Vec<CertificateDer<'static>>,
}

impl ServerCertVerifier for Known {
    fn verify_server_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        server_name: &ServerName<'_>,
        ocsp: &[u8],
        now: UnixTime,
    ) -> Result<ServerCertVerified, rustls::Error> {
        if self.trusted.iter().any(|trusted| trusted == end_entity) {
            let parsed = rustls::server::ParsedCertificate::try_from(end_entity)?;
            rustls::client::verify_server_name(&parsed, server_name)?;
            return Ok(ServerCertVerified::assertion());
        }
        self.chain
            .verify_server_cert(end_entity, intermediates, server_name, ocsp, now)
            .map_err(|error| match error {
                rustls::Error::InvalidCertificate(CertificateError::UnknownIssuer)
                    if self.vouches_for_itself(end_entity, server_name, now) =>
                {
                    CertificateError::Other(OtherError(Arc::new(SelfSigned))).into()
                }
                other => other,
            })
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        self.chain
            .verify_tls12_signature(message, certificate, signed)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        self.chain
            .verify_tls13_signature(message, certificate, signed)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.chain.supported_verify_schemes()
    }
}

impl Known {
    /// Whether `certificate` is signed with its own key: with it as the only root, its issuer is known.
    fn vouches_for_itself(
        &self,
        certificate: &CertificateDer<'_>,
        server_name: &ServerName<'_>,
        now: UnixTime,
    ) -> bool {
        let mut roots = RootCertStore::empty();
        if roots.add(certificate.clone().into_owned()).is_err() {
            return false;
        }
        let builder = WebPkiServerVerifier::builder_with_provider(
            Arc::new(roots),
            Arc::clone(&self.provider),
        );
        let unknown = rustls::Error::InvalidCertificate(CertificateError::UnknownIssuer);
        builder.build().is_ok_and(|alone| {
            alone
                .verify_server_cert(certificate, &[], server_name, &[], now)
                .err()
                != Some(unknown)
        })
    }
}

/// Why a certificate that nobody else has signed is not believed.
#[derive(Debug, thiserror::Error)]
#[error("self-signed certificate")]
struct SelfSigned;

/// `verify=False`.
#[derive(Debug)]
struct Anybody(WebPkiSupportedAlgorithms);

impl ServerCertVerifier for Anybody {
    fn verify_server_cert(
        &self,
        _: &CertificateDer<'_>,
        _: &[CertificateDer<'_>],
        _: &ServerName<'_>,
        _: &[u8],
        _: UnixTime,
    ) -> Result<ServerCertVerified, rustls::Error> {
        Ok(ServerCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        rustls::crypto::verify_tls12_signature(message, certificate, signed, &self.0)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        rustls::crypto::verify_tls13_signature(message, certificate, signed, &self.0)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.0.supported_schemes()
    }
}

/// The name that a server has to prove; `None` for what cannot be one.
pub(crate) fn server_name(host: &str) -> Option<ServerName<'static>> {
    ServerName::try_from(host.to_owned()).ok()
}

/// What OpenSSL would say of a handshake that failed with `error`.
pub(crate) fn handshake_error(error: &io::Error, peer: Peer) -> HttpError {
    let inner = error.get_ref();
    let Some(tls) = inner.and_then(|inner| inner.downcast_ref::<rustls::Error>()) else {
        return HttpError::broken(error);
    };
    let (reason, certificate) = match tls {
        rustls::Error::InvalidCertificate(error) => (
            format!(
                "[SSL: CERTIFICATE_VERIFY_FAILED] certificate verify failed: {}",
                certificate_words(error, &peer.host)
            ),
            true,
        ),
        rustls::Error::InvalidMessage(_) => (
            "[SSL: WRONG_VERSION_NUMBER] wrong version number".to_owned(),
            false,
        ),
        other => (other.to_string(), false),
    };
    HttpError::Tls {
        peer,
        reason,
        certificate,
    }
}

fn certificate_words(error: &CertificateError, host: &str) -> String {
    match error {
        CertificateError::UnknownIssuer => "unable to get local issuer certificate".to_owned(),
        CertificateError::Expired | CertificateError::ExpiredContext { .. } => {
            "certificate has expired".to_owned()
        }
        CertificateError::NotValidYet | CertificateError::NotValidYetContext { .. } => {
            "certificate is not yet valid".to_owned()
        }
        CertificateError::NotValidForName | CertificateError::NotValidForNameContext { .. } => {
            let what = if host.parse::<std::net::IpAddr>().is_ok() {
                "IP address mismatch"
            } else {
                "Hostname mismatch"
            };
            format!(
                "{what}, certificate is not valid for {}.",
                crate::repr(host)
            )
        }
        CertificateError::Other(other) => {
            let text = other.to_string();
            // One of an authority that vouches for itself.
            if text.contains("CaUsedAsEndEntity") {
                SelfSigned.to_string()
            } else {
                text
            }
        }
        other => other.to_string(),
    }
}
