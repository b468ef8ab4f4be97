//! What is off unless asked for: remembered results, and a profile.

use serde_json::json;

use crate::support::{FORM, Service, form, post_head, sample};

#[test]
fn a_remembered_result_says_so_and_ends_with_its_model() {
    let service = Service::start(&["--result-cache", "1"]);
    let ask = |path: &str| {
        let body = form("file", &sample(path));
        let reply = service.raw(&[post_head(body.len(), "").as_bytes(), &body].concat());
        assert_eq!(reply.status, 200, "{}", reply.body);
        let hit = reply.head.contains("\r\nx-cache: hit\r\n");
        assert_eq!(
            !hit,
            reply.head.contains("\r\nx-cache: miss\r\n"),
            "{}",
            reply.head
        );
        let reply: serde_json::Value = serde_json::from_str(&reply.body).expect("JSON");
        (hit, reply)
    };
    let (first, second) = ("glioma/glioma_1.jpg", "glioma/glioma_2.jpg");
    let (hit, fresh) = ask(first);
    assert!(
        !hit && fresh["inference_time_ms"].as_f64() > Some(0.0),
        "{fresh}"
    );
    let (hit, remembered) = ask(first);
    // The network did nothing for it.
    assert!(
        hit && remembered["inference_time_ms"] == 0.0,
        "{remembered}"
    );
    assert_eq!(remembered["probabilities"], fresh["probabilities"]);
    assert!(!ask(second).0, "another image");
    assert!(!ask(first).0, "one result is kept");
    let (_, metrics) = service.get("/metrics");
    assert_eq!(metrics["cached_predictions"], 1);
    let counted: u64 = ["Glioma", "Meningioma", "Pituitary", "No_Tumor"]
        .iter()
        .filter_map(|class| metrics["predictions"][class].as_u64())
        .sum();
    assert_eq!(counted, 4);
    assert!(ask(first).0);
    let version = service.get("/model_versions").1["serving"].clone();
    let path = format!(
        "/model_versions/{}/serve",
        version.as_str().expect("a version")
    );
    assert_eq!(service.post_to(&path, "application/json", b"").0, 200);
    assert!(!ask(first).0, "a model that was put in place judges anew");
}

#[test]
fn without_a_cache_nothing_is_said_of_it() {
    let service = Service::start(&[]);
    let body = form("file", &sample("glioma/glioma_1.jpg"));
    for _ in 0..2 {
        let reply = service.raw(&[post_head(body.len(), "").as_bytes(), &body].concat());
        assert!(!reply.head.contains("x-cache"), "{}", reply.head);
    }
    assert_eq!(service.get("/metrics").1["cached_predictions"], json!(0));
}

#[test]
fn a_profile_shows_what_predictions_were_made_of() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("profile.svg");
    let service = Service::start(&["--profile", path.to_str().expect("text")]);
    let body = form("file", &sample("glioma/glioma_1.jpg"));
    let busy = std::time::Instant::now();
    while busy.elapsed() < std::time::Duration::from_secs(2) {
        assert_eq!(service.post_to("/predict", FORM, &body).0, 200);
    }
    service.signal("-TERM");
    assert_eq!(service.end(), (Some(0), "stopped\n".to_owned()));
    let svg = std::fs::read_to_string(&path).expect("a file");
    assert!(
        svg.starts_with("<svg ") && svg.ends_with("</svg>\n"),
        "{svg:.200}"
    );
    for frame in ["threads infer", "judge", "predict"] {
        assert!(svg.contains(frame), "{frame}: {svg:.2000}");
    }
}

#[test]
fn a_profile_that_cannot_be_written_is_refused_at_the_start() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("no/such/folder.svg");
    let output = crate::support::command(0, &crate::support::model(), folder.path())
        .arg("--profile")
        .arg(&path)
        .output()
        .expect("the program runs");
    let said = String::from_utf8(output.stderr).expect("text");
    assert_eq!(output.status.code(), Some(1));
    let expected = format!(
        "classifier: cannot write the flame graph {}: ",
        path.display()
    );
    assert!(
        said.starts_with(&expected) && said.lines().count() == 1,
        "{said}"
    );
}
