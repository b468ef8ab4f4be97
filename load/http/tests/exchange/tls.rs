//! Exchanges over TLS, with certificates made for the test.

use std::io::Write;
use std::path::PathBuf;
use std::sync::Arc;

use acrida_http::{Tls, TlsChoice, Trust};
use rustls::pki_types::PrivateKeyDer;
use rustls::{ServerConfig, ServerConnection, StreamOwned};

use crate::support::{Browser, answer, get, read_request, serve, text};

/// A server for `localhost` with a certificate that it signed itself, and the file
/// with that.
pub(crate) fn secure() -> (u16, tempfile::NamedTempFile) {
    let certified = rcgen::generate_simple_self_signed(vec!["localhost".to_owned()]);
    let certified = certified.expect("a certificate");
    let mut file = tempfile::NamedTempFile::new().expect("a file");
    file.write_all(certified.cert.pem().as_bytes())
        .expect("space");
    let key = PrivateKeyDer::try_from(certified.signing_key.serialize_der()).expect("a key");
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let config = ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .expect("versions")
        .with_no_client_auth()
        .with_single_cert(vec![certified.cert.der().clone()], key)
        .expect("a usable certificate");
    let config = Arc::new(config);
    let port = serve(move |stream| {
        let connection = ServerConnection::new(Arc::clone(&config)).expect("a connection");
        let mut stream = StreamOwned::new(connection, stream);
        while let Some((_, body)) = read_request(&mut stream) {
            let sent = stream.write_all(&answer("200 OK", "", &body));
            if sent.is_err() {
                return;
            }
        }
    });
    (port, file)
}

pub(crate) fn trusting(trust: Trust) -> Option<Tls> {
    let choice = TlsChoice {
        trust,
        identity: None,
    };
    Some(Tls::load(&choice).expect("a readable file"))
}

#[test]
fn a_trusted_server_is_spoken_to_and_its_connection_kept() {
    let (port, file) = secure();
    let browser = Browser::new();
    let tls = trusting(Trust::File(file.path().to_owned()));
    for size in [5, 1_000_000] {
        let mut request = get(&format!("https://localhost:{port}/"));
        request.method = "POST".into();
        request.body = Some(vec![b'x'; size].into());
        request.tls = tls.clone();
        assert_eq!(text(&browser.exchange(request)).len(), size);
    }
}

#[test]
fn a_server_that_nobody_vouches_for_is_refused_unless_anybody_is_trusted() {
    let (port, file) = secure();
    let browser = Browser::new();
    let url = format!("https://localhost:{port}/");
    let failure = browser.get(&url).failure().expect("not trusted");
    let expected = "SSLError(SSLCertVerificationError(1, '[SSL: CERTIFICATE_VERIFY_FAILED] \
                    certificate verify failed: self-signed certificate";
    assert!(failure.starts_with(expected), "{failure}");
    let mut request = get(&url);
    request.tls = trusting(Trust::Anybody);
    assert!(browser.exchange(request).result.is_ok());
    let mut other_name = get(&format!("https://127.0.0.1:{port}/"));
    other_name.tls = trusting(Trust::File(file.path().to_owned()));
    let failure = browser
        .exchange(other_name)
        .failure()
        .expect("another name");
    assert!(
        failure.contains("certificate is not valid for '127.0.0.1'"),
        "{failure}"
    );
}

#[test]
fn a_server_without_tls_is_told_as_openssl_does() {
    let port = serve(|mut stream| {
        let _ = stream.write_all(b"HTTP/1.1 400 Bad Request\r\n\r\n");
    });
    let failure = Browser::new()
        .get(&format!("https://localhost:{port}/"))
        .failure();
    let expected = "SSLError(SSLError(1, '[SSL: WRONG_VERSION_NUMBER] wrong version number'))";
    assert_eq!(failure.as_deref(), Some(expected));
}

#[test]
fn a_missing_file_is_named() {
    let choice = TlsChoice {
        trust: Trust::File(PathBuf::from("/no/such.pem")),
        identity: None,
    };
    let error = Tls::load(&choice).expect_err("no file").to_string();
    assert!(error.ends_with("invalid path: /no/such.pem"), "{error}");
}
