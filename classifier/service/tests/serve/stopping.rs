//! SIGINT and SIGTERM: what has begun is answered, then the program ends with 0.

use std::net::TcpStream;

use crate::support::{Connection, Service, form, post_head, program, sample, until};

/// A connection whose request the service has begun to read and waits to end.
fn in_flight(service: &Service, length: usize) -> Connection {
    let mut connection = service.connect();
    connection.send(post_head(length, "Expect: 100-continue\r\n").as_bytes());
    assert!(connection.head().starts_with("http/1.1 100"));
    connection
}

/// Returns once the service no longer listens.
fn wait_until_closed(service: &Service) {
    while TcpStream::connect(service.address).is_ok() {}
}

#[test]
fn a_request_in_flight_is_answered_before_the_end() {
    for signal in ["-TERM", "-INT"] {
        let service = Service::start(&[]);
        let body = form("file", &sample("meningioma/meningioma_1.jpg"));
        let mut idle = service.connect();
        idle.send(b"GET /health HTTP/1.1\r\nHost: test\r\n\r\n");
        assert_eq!(idle.reply().status, 200);
        let mut connection = in_flight(&service, body.len());
        service.signal(signal);
        wait_until_closed(&service);
        assert!(idle.is_closed(), "kept-alive connections are let go");
        connection.send(&body);
        let reply = connection.reply();
        assert_eq!(reply.status, 200, "{signal}: {}", reply.body);
        assert!(connection.is_closed());
        assert_eq!(service.end(), (Some(0), "stopped\n".to_owned()), "{signal}");
    }
}

#[test]
fn a_request_that_never_ends_is_cut_off_by_the_drain_limit_or_a_second_signal() {
    for (drain_timeout, signals) in [("0.05", 1), ("3600", 2)] {
        let service = Service::start(&["--drain-timeout", drain_timeout]);
        let mut connection = in_flight(&service, 1_000);
        service.signal("-TERM");
        wait_until_closed(&service);
        if signals == 2 {
            service.signal("-TERM");
        }
        assert!(connection.is_closed());
        let stopped = "stopped; some requests were cut off\n".to_owned();
        assert_eq!(service.end(), (Some(0), stopped));
    }
}

/// The exit code of `classifier ready`, and what it says on standard error.
fn ready(service: &Service) -> (Option<i32>, String) {
    let address = service.address.to_string();
    let output = program().args(["ready", &address]).output();
    let output = output.expect("the program runs");
    let said = String::from_utf8(output.stderr).expect("text");
    (output.status.code(), said)
}

#[test]
fn a_service_that_will_end_says_so_first_and_answers_on() {
    let service = Service::start(&["--drain-delay", "3600"]);
    assert_eq!(ready(&service), (Some(0), String::new()));
    let mut kept = service.connect();
    service.signal("-TERM");
    let unready = until("it is not ready", || {
        let (status, readiness) = service.get("/ready");
        (status == 503).then_some(readiness)
    });
    assert_eq!(
        (&unready["draining"], &unready["store"]),
        (&true.into(), &true.into())
    );
    let address = service.address;
    let line = format!(
        "classifier: {address} is not ready: it answers \"HTTP/1.1 503 Service Unavailable\"\n"
    );
    assert_eq!(ready(&service), (Some(1), line));
    // New requests are answered, on connections old and new, and the connections are not kept.
    let image = sample("meningioma/meningioma_1.jpg");
    assert_eq!(service.post("file", &image).0, 200);
    kept.send(b"GET /health HTTP/1.1\r\nHost: test\r\n\r\n");
    let reply = kept.reply();
    assert_eq!(reply.status, 200);
    assert!(reply.head.contains("connection: close"), "{}", reply.head);
    assert!(kept.is_closed());
    // A second signal ends the delay.
    service.signal("-TERM");
    wait_until_closed(&service);
    let line = format!("classifier: no answer from {address}: Connection refused (os error 111)\n");
    assert_eq!(ready(&service), (Some(1), line));
    assert_eq!(service.end(), (Some(0), "stopped\n".to_owned()));
}
