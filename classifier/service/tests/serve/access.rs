//! Who may ask, how often, and where all of it is described.

use std::collections::BTreeSet;

use crate::support::{FORM, Service, form, post_head, sample};

#[test]
fn a_key_is_asked_for_where_one_is_configured() {
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("key");
    std::fs::write(&file, "s3cret\n").expect("a file");
    let service = Service::start(&["--api-key-file", file.to_str().expect("text")]);
    let body = form("file", &sample("glioma/glioma_1.jpg"));
    let ask = |header: &str| {
        let head = post_head(body.len(), header);
        service.raw(&[head.as_bytes(), &body].concat())
    };
    let refused = ask("");
    assert_eq!(refused.status, 401);
    assert!(
        refused.head.contains("\r\nwww-authenticate: bearer\r\n"),
        "{}",
        refused.head
    );
    assert_eq!(
        refused.detail(),
        "this needs the service's API key, as X-API-Key or as a bearer token"
    );
    assert_eq!(ask("X-API-Key: wrong\r\n").status, 401);
    assert_eq!(ask("X-API-Key: s3cret\r\n").status, 200);
    assert_eq!(ask("Authorization: Bearer s3cret\r\n").status, 200);
    for (path, status) in [
        ("/health", 200),
        ("/ready", 200),
        ("/live", 200),
        ("/metrics", 401),
    ] {
        assert_eq!(service.get(path).0, status, "{path}");
    }
}

#[test]
fn an_address_that_asks_too_often_is_told_when_to_come_back() {
    let service = Service::start(&["--rate-limit", "2"]);
    let mut connection = service.connect();
    let replies: Vec<_> = (0..20)
        .map(|_| {
            connection.send(b"GET /metrics HTTP/1.1\r\nHost: test\r\n\r\n");
            connection.reply()
        })
        .collect();
    let refused = replies.iter().find(|reply| reply.status == 429);
    let refused = refused.expect("one of twenty in a row is refused");
    assert_eq!(replies[0].status, 200);
    assert!(
        refused.head.contains("\r\nretry-after: 1\r\n"),
        "{}",
        refused.head
    );
    assert_eq!(service.get("/health").0, 200);
}

#[test]
fn a_service_whose_queue_is_full_is_alive_but_not_ready() {
    let service = Service::start(&["--threads", "1", "--queue-length", "1"]);
    let (status, readiness) = service.get("/ready");
    assert_eq!(
        (status, &readiness["ready"]),
        (200, &true.into()),
        "{readiness}"
    );
    let body = form("file", &sample("glioma/glioma_1.jpg"));
    let request = [post_head(body.len(), "").as_bytes(), &body].concat();
    // One thread works and one image waits, if only one looks in time.
    let unready = (0..200).find_map(|_| {
        let mut connections: Vec<_> = (0..16).map(|_| service.connect()).collect();
        connections.iter_mut().for_each(|c| c.send(&request));
        let unready = Some(service.get("/ready")).filter(|(status, _)| *status == 503);
        assert_eq!(service.get("/live").0, 200);
        connections.iter_mut().for_each(|c| drop(c.reply()));
        unready
    });
    let (_, readiness) = unready.expect("one of 200 looks finds the queue full");
    assert_eq!(
        (&readiness["queue"], &readiness["store"]),
        (&false.into(), &true.into())
    );
    assert_eq!(service.get("/ready").0, 200);
}

#[test]
fn every_endpoint_is_described() {
    let service = Service::start(&[]);
    let (status, description) = service.get("/openapi.json");
    assert_eq!(status, 200);
    assert!(
        description["openapi"]
            .as_str()
            .expect("a version")
            .starts_with("3.1")
    );
    let paths = description["paths"].as_object().expect("an object");
    let described: BTreeSet<String> = paths
        .iter()
        .flat_map(|(path, methods)| {
            let methods = methods.as_object().expect("an object");
            methods.keys().map(move |method| format!("{method} {path}"))
        })
        .collect();
    for endpoint in [
        "get /health",
        "post /predict",
        "post /upload_training_data",
        "get /dataset_stats",
        "post /retrain",
        "get /retrain_jobs",
        "get /retrain_status/{job_id}",
        "get /metrics",
    ] {
        assert!(described.contains(endpoint), "{endpoint}: {described:?}");
    }
    let settings = &description["components"]["schemas"]["Wanted"]["properties"];
    assert_eq!(settings["epochs"]["maximum"], 100);
}

#[test]
fn browsers_get_the_page_where_others_get_json() {
    let service = Service::start(&[]);
    for path in ["/", "/docs"] {
        let request =
            format!("GET {path} HTTP/1.1\r\nHost: test\r\nAccept: text/html,*/*;q=0.8\r\n\r\n");
        let reply = service.raw(request.as_bytes());
        assert_eq!(reply.status, 200, "{path}");
        assert!(
            reply
                .head
                .contains("content-security-policy: default-src 'self'"),
            "{}",
            reply.head
        );
        assert!(reply.body.starts_with("<!doctype html>"), "{}", reply.body);
    }
    let reply = service.raw(b"GET /assets/app.js HTTP/1.1\r\nHost: test\r\n\r\n");
    assert!(
        reply.head.contains("content-type: text/javascript"),
        "{}",
        reply.head
    );
    let reply = service.raw(b"GET /assets/../Cargo.toml HTTP/1.1\r\nHost: test\r\n\r\n");
    assert_eq!(reply.status, 404);
}

#[test]
fn an_explanation_covers_the_part_that_the_network_saw() {
    let service = Service::start(&[]);
    let body = form("file", &sample("meningioma/meningioma_1.jpg"));
    let (status, reply) = service.post_to("/explain", FORM, &body);
    assert_eq!(
        (status, &reply["predicted_class_short"]),
        (200, &"Meningioma".into()),
        "{reply}"
    );
    let map = &reply["heat_map"];
    let side = map["side"].as_u64().expect("a number") as usize;
    let values = map["values"].as_array().expect("a list");
    assert!(side >= 3 && values.len() == side * side, "{map}");
    // Altogether it speaks for the class, though not everywhere alike.
    let sum: f64 = values.iter().filter_map(|value| value.as_f64()).sum();
    assert!(
        sum > 0.0 && values.iter().any(|value| value != &values[0]),
        "{map}"
    );
    let area: Vec<f64> = map["area"]
        .as_array()
        .expect("a list")
        .iter()
        .filter_map(|n| n.as_f64())
        .collect();
    assert!(
        area.len() == 4 && area.iter().all(|share| (0.0..=1.0).contains(share)),
        "{area:?}"
    );
    let (status, reply) = service.post_to("/explain", FORM, &form("file", b"data"));
    assert_eq!(
        (status, &reply["detail"]),
        (400, &"field \"file\": not a JPEG or PNG image".into())
    );
}
