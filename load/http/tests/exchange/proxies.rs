//! Requests through a proxy: in the clear, and over TLS through a tunnel.

use std::io::{self, Write};
use std::net::TcpStream;
use std::sync::{Arc, Mutex};

use acrida_http::{Proxies, Proxy, Request, Trust};

use crate::support::{Browser, answer, get, read_request, serve, serve_answers, text};
use crate::tls::{secure, trusting};

fn through(port: u16, url: &str) -> Request {
    let proxy = Proxy::parse(&format!("http://u:p@127.0.0.1:{port}")).expect("a proxy");
    let proxy = Some(Arc::new(proxy));
    Request {
        proxies: Some(Arc::new(Proxies {
            http: proxy.clone(),
            https: proxy,
        })),
        ..get(url)
    }
}

/// A proxy that opens every way, and the heads of what it was asked.
fn tunnels() -> (u16, Arc<Mutex<Vec<String>>>) {
    let asked = Arc::new(Mutex::new(Vec::new()));
    let heads = Arc::clone(&asked);
    let port = serve(move |mut client: TcpStream| {
        let Some((head, _)) = read_request(&mut client) else {
            return;
        };
        let place = head.split(' ').nth(1).expect("a place").to_owned();
        heads.lock().expect("no panic").push(head);
        let mut server = TcpStream::connect(place).expect("a server");
        let opened = client.write_all(b"HTTP/1.1 200 Connection established\r\n\r\n");
        opened.expect("the client listens");
        let (mut from, mut to) = (
            server.try_clone().expect("a copy"),
            client.try_clone().expect("a copy"),
        );
        std::thread::spawn(move || io::copy(&mut from, &mut to));
        let _ = io::copy(&mut client, &mut server);
    });
    (port, asked)
}

#[test]
fn a_proxy_is_asked_for_the_whole_url() {
    let port = serve_answers(|head, _| answer("200 OK", "", head.as_bytes()));
    let finished = Browser::new().exchange(through(port, "http://example.invalid/a?b#c"));
    let sent = text(&finished);
    assert!(
        sent.starts_with("GET http://example.invalid/a?b HTTP/1.1\r\nHost: example.invalid\r\n"),
        "{sent}"
    );
    assert!(
        sent.contains("\r\nProxy-Authorization: Basic dTpw\r\n"),
        "{sent}"
    );
    assert_eq!(finished.name(), "/a?b");
}

#[test]
fn tls_goes_through_a_tunnel_which_is_kept() {
    let ((server, file), (port, asked)) = (secure(), tunnels());
    let (browser, tls) = (
        Browser::new(),
        trusting(Trust::File(file.path().to_owned())),
    );
    for body in ["one", "two"] {
        let mut request = through(port, &format!("https://localhost:{server}/"));
        request.method = "POST".into();
        request.body = Some(body.into());
        request.tls = tls.clone();
        assert_eq!(text(&browser.exchange(request)), body);
    }
    let place = format!("localhost:{server}");
    let head = format!(
        "CONNECT {place} HTTP/1.1\r\nHost: {place}\r\nProxy-Authorization: Basic dTpw\r\n\r\n"
    );
    assert_eq!(*asked.lock().expect("no panic"), [head]);
}

#[test]
fn what_a_proxy_refuses_is_told_in_locusts_words() {
    // Expected texts: Locust 2.47.0 in the same cases.
    let refusing = serve_answers(|_, _| answer("407 Proxy Auth Required", "", b""));
    let nobody = {
        let listener = std::net::TcpListener::bind("127.0.0.1:0").expect("a port");
        listener.local_addr().expect("an address").port()
    };
    let new_connection = |scheme: &str| {
        format!(
            "(Caused by ProxyError('Unable to connect to proxy', NewConnectionError(\"{scheme}Connection(host='127.0.0.1', \
             port={nobody}): Failed to establish a new connection: [Errno 111] Connection refused\")))"
        )
    };
    let refused = "ConnectionRefusedError(111, 'Connection refused')";
    for (proxy, url, text, cause) in [
        (
            nobody,
            "http://127.0.0.1:9/x",
            format!(
                "HTTPConnectionPool(host='127.0.0.1', port={nobody}): Max retries exceeded with url: http://127.0.0.1:9/x {}",
                new_connection("HTTP")
            ),
            refused,
        ),
        (
            nobody,
            "https://127.0.0.1:9/x",
            format!(
                "HTTPSConnectionPool(host='127.0.0.1', port=9): Max retries exceeded with url: /x {}",
                new_connection("HTTPS")
            ),
            refused,
        ),
        (
            refusing,
            "https://127.0.0.1:9/x",
            "HTTPSConnectionPool(host='127.0.0.1', port=9): Max retries exceeded with url: /x (Caused by ProxyError('Unable \
             to connect to proxy', OSError('Tunnel connection failed: 407 Proxy Auth Required')))"
                .to_owned(),
            "OSError('Tunnel connection failed: 407 Proxy Auth Required')",
        ),
    ] {
        let finished = Browser::new().exchange(through(proxy, url));
        let error = finished.result.as_ref().expect_err("no way");
        assert_eq!(error.class(), "ProxyError");
        assert_eq!(error.to_string(), text);
        assert_eq!(finished.failure().as_deref(), Some(cause));
    }
}
