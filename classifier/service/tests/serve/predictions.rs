//! What well-formed requests are answered.

use serde_json::Value;

use crate::support::{Service, form, post_head, sample};

const CLASSES: [(&str, &str, &str); 4] = [
    ("glioma", "Glioma", "Glioma Tumor"),
    ("meningioma", "Meningioma", "Meningioma Tumor"),
    ("pituitary", "Pituitary", "Pituitary Tumor"),
    ("notumor", "No_Tumor", "No Tumor"),
];

fn keys(value: &Value) -> Vec<&str> {
    let object = value.as_object().expect("an object");
    object.keys().map(String::as_str).collect()
}

/// Without what differs from call to call.
fn check_reply(reply: &Value, why: &str) {
    let index = reply["class_index"].as_u64().expect("a number") as usize;
    let (_, short, full) = CLASSES[index];
    assert_eq!(reply["predicted_class_short"], short, "{why}");
    assert_eq!(reply["predicted_class"], full, "{why}");
    let probabilities = &reply["probabilities"];
    assert_eq!(probabilities[short], reply["confidence"], "{why}");
    let values = CLASSES.map(|(_, short, _)| probabilities[short].as_f64().expect("a number"));
    let sum: f64 = values.iter().sum();
    assert!((sum - 1.0).abs() < 0.000_21, "{why}: {sum}");
    let largest = values.iter().copied().fold(0.0, f64::max);
    assert_eq!(reply["confidence"].as_f64(), Some(largest), "{why}");
    assert_eq!(keys(probabilities).len(), 4, "{why}");
    assert!(reply["inference_time_ms"].is_f64(), "{why}");
    assert_eq!(keys(reply).len(), 6, "{why}");
}

#[test]
fn every_sample_is_answered_in_the_contracts_shape_and_nearly_all_correctly() {
    let service = Service::start(&[]);
    let mut right = 0;
    for (folder, short, _) in CLASSES {
        for n in 1..=3 {
            let path = format!("{folder}/{folder}_{n}.jpg");
            let (status, reply, timing) = service.post("file", &sample(&path));
            assert_eq!(status, 200, "{path}: {reply}");
            check_reply(&reply, &path);
            let parts: Vec<&str> = timing.split(", ").collect();
            for (part, name) in parts.iter().zip(["queue", "decode", "preprocess", "infer"]) {
                assert!(part.starts_with(&format!("{name};dur=")), "{timing}");
            }
            right += usize::from(reply["predicted_class_short"] == short);
        }
    }
    // The samples were not trained on; a model that gets most wrong is the wrong file.
    assert!(right >= 9, "{right} of 12");
}

#[test]
fn a_batch_of_several_answers_each_client_about_its_own_image() {
    let service = Service::start(&["--batch-size", "4", "--batch-wait-ms", "20"]);
    let alone: Vec<Value> = CLASSES
        .iter()
        .map(|(folder, ..)| {
            service
                .post("file", &sample(&format!("{folder}/{folder}_1.jpg")))
                .1
        })
        .collect();
    std::thread::scope(|scope| {
        for ((folder, ..), alone) in CLASSES.iter().zip(&alone).cycle().take(16) {
            let service = &service;
            scope.spawn(move || {
                let image = sample(&format!("{folder}/{folder}_1.jpg"));
                let (status, reply, _) = service.post("file", &image);
                assert_eq!(status, 200);
                assert_eq!(reply["class_index"], alone["class_index"]);
            });
        }
    });
}

#[test]
fn one_connection_serves_many_requests() {
    let service = Service::start(&[]);
    let mut connection = service.connect();
    let body = form("file", &sample("pituitary/pituitary_1.jpg"));
    let request = [post_head(body.len(), "").as_bytes(), &body].concat();
    for _ in 0..3 {
        connection.send(&request);
        assert_eq!(connection.reply().status, 200);
    }
    // Refused requests keep the connection, too.
    connection.send(b"POST /nothing HTTP/1.1\r\nHost: test\r\nContent-Length: 4\r\n\r\ndata");
    assert_eq!(connection.reply().status, 404);
    connection.send(&request);
    assert_eq!(connection.reply().status, 200);
}

#[test]
fn health_and_the_root_say_who_is_there() {
    let service = Service::start(&[]);
    let reply = service.raw(b"GET /health HTTP/1.1\r\nHost: test\r\n\r\n");
    let health: Value = serde_json::from_str(&reply.body).expect("JSON");
    assert_eq!((reply.status, &health["status"]), (200, &"healthy".into()));
    assert_eq!(health["model_loaded"], true);
    let version = health["model_version"].as_str().expect("a version");
    assert!(service.ready_line.contains(&format!("({version})")));
    assert!(health["uptime_seconds"].is_u64());
    assert_eq!(keys(&health).len(), 4);

    let reply = service.raw(b"GET / HTTP/1.1\r\nHost: test\r\n\r\n");
    let root: Value = serde_json::from_str(&reply.body).expect("JSON");
    assert_eq!(root["status"], "running");
    assert_eq!(root["version"], env!("CARGO_PKG_VERSION"));
    assert!(root["service"].is_string());
}
