//! HTTPS, and certificates of no use.

use std::path::Path;

use rcgen::{CertifiedKey, generate_simple_self_signed};

use crate::support::{Service, command, model, until};

/// Writes a certificate for this machine, and its key.
fn certificate(folder: &Path, name: &str) -> [String; 2] {
    let CertifiedKey { cert, signing_key } =
        generate_simple_self_signed(["localhost".to_owned(), "127.0.0.1".to_owned()])
            .expect("a certificate");
    [("crt", cert.pem()), ("key", signing_key.serialize_pem())].map(|(ending, content)| {
        let path = folder.join(name).with_extension(ending);
        std::fs::write(&path, content).expect("a file");
        path.to_str().expect("text").to_owned()
    })
}

fn curl(service: &Service, certificate: &str) -> (bool, String) {
    let url = format!("https://{}/health", service.address);
    let output = std::process::Command::new("curl")
        .args([
            "--silent",
            "--show-error",
            "--noproxy",
            "*",
            "--cacert",
            certificate,
            &url,
        ])
        .output()
        .expect("curl is installed");
    let said = [output.stdout, output.stderr].concat();
    (
        output.status.success(),
        String::from_utf8(said).expect("text"),
    )
}

#[test]
fn requests_come_by_https_where_a_certificate_is_configured() {
    let folder = tempfile::tempdir().expect("a folder");
    let [certificate_file, key] = certificate(folder.path(), "own");
    let [other, _] = certificate(folder.path(), "other");
    let flags = [
        "--tls-cert",
        &certificate_file,
        "--tls-key",
        &key,
        "--idle-timeout",
        "0.2",
    ];
    let service = Service::start(&flags);
    assert!(
        service.ready_line.contains(" at https://127.0.0.1:"),
        "{}",
        service.ready_line
    );
    let (succeeded, said) = curl(&service, &certificate_file);
    assert!(succeeded && said.contains("\"healthy\""), "{said}");
    let (succeeded, said) = curl(&service, &other);
    assert!(!succeeded && said.contains("certificate"), "{said}");
    // Who speaks no TLS, or nothing at all, is let go.
    let mut plain = service.connect();
    plain.send(b"GET /health HTTP/1.1\r\nHost: test\r\n\r\n");
    until("the connection ends", || plain.is_over().then_some(()));
    let mut silent = service.connect();
    until("the connection ends", || silent.is_over().then_some(()));
    assert!(curl(&service, &certificate_file).0);
}

#[test]
fn certificates_of_no_use_are_named_with_the_reason() {
    let folder = tempfile::tempdir().expect("a folder");
    let [certificate_file, key] = certificate(folder.path(), "own");
    let [_, other_key] = certificate(folder.path(), "other");
    let missing = folder
        .path()
        .join("missing")
        .to_str()
        .expect("text")
        .to_owned();
    let text = folder
        .path()
        .join("text")
        .to_str()
        .expect("text")
        .to_owned();
    std::fs::write(&text, "no certificate").expect("a file");
    for (certificate_file, key, expected) in [
        (
            &missing,
            &key,
            format!("cannot read the certificate in {missing}: "),
        ),
        (
            &certificate_file,
            &missing,
            format!("cannot read the private key in {missing}: "),
        ),
        (
            &text,
            &key,
            format!("{text} holds no certificate in PEM form"),
        ),
        (
            &certificate_file,
            &certificate_file,
            format!("{certificate_file} holds no private key in PEM form"),
        ),
        (
            &certificate_file,
            &other_key,
            format!(
                "cannot use the certificate in {certificate_file} with the private key in {other_key}: "
            ),
        ),
    ] {
        let output = command(0, &model(), folder.path())
            .args(["--tls-cert", certificate_file, "--tls-key", key])
            .output()
            .expect("the program runs");
        let said = String::from_utf8(output.stderr).expect("text");
        assert_eq!(output.status.code(), Some(1), "{said}");
        assert_eq!(said.lines().count(), 1, "{said}");
        assert!(said.contains(&expected), "{said}");
    }
    let alone = command(0, &model(), folder.path())
        .args(["--tls-cert", &certificate_file])
        .output()
        .expect("the program runs");
    assert_eq!(alone.status.code(), Some(2));
}
