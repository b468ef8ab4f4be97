//! Jobs from the request to the model that serves, and back.

use std::process::Command;

use classifier_imaging::Class;
use classifier_model::{Architecture, ModelFile};
use serde_json::{Value, json};

use crate::pictures::{Workshop, picture};
use crate::support::{Service, command_of, program, sample, until};

const JSON: &str = "application/json";
const QUICK: &[u8] = br#"{"epochs":8,"batch_size":16,"learning_rate":0.02}"#;
pub(crate) const ONE_EPOCH: &[u8] = br#"{"epochs":1,"batch_size":16}"#;
/// Takes a slow workshop far longer than a test.
pub(crate) const LONG: &[u8] = br#"{"epochs":100,"batch_size":16,"learning_rate":1e-6}"#;

pub(crate) fn ask(service: &Service, settings: &[u8]) -> String {
    let (status, reply) = service.post_to("/retrain", JSON, settings);
    assert_eq!(status, 200, "{reply}");
    reply["job_id"].as_str().expect("a name").to_owned()
}

pub(crate) fn status_of(service: &Service, job: &str) -> Value {
    let (status, job) = service.get(&format!("/retrain_status/{job}"));
    assert_eq!(status, 200, "{job}");
    job
}

/// The job, once it is as it should be.
pub(crate) fn until_it_is(service: &Service, job: &str, status: &str) -> Value {
    until(status, || {
        let job = status_of(service, job);
        (job["status"] == status).then_some(job)
    })
}

pub(crate) fn serving(service: &Service) -> String {
    let (_, health) = service.get("/health");
    health["model_version"]
        .as_str()
        .expect("a version")
        .to_owned()
}

/// A version that was stored serves a moment later.
pub(crate) fn until_serves(service: &Service, version: &str) {
    until(version, || (serving(service) == version).then_some(()));
}

fn named(service: &Service, image: &[u8]) -> Value {
    let (status, reply, _) = service.post("file", image);
    assert_eq!(status, 200, "{reply}");
    reply["predicted_class_short"].clone()
}

/// Uploads so many pictures of each texture, under the label and with the seeds that
/// `said` gives them.
fn upload(service: &Service, count: u64, said: impl Fn(Class) -> (Class, u64)) {
    for shown in Class::ALL {
        let (label, seed) = said(shown);
        let pictures: Vec<Vec<u8>> = (seed..seed + count)
            .map(|seed| picture(shown, seed))
            .collect();
        let pictures: Vec<&[u8]> = pictures.iter().map(Vec::as_slice).collect();
        let (status, reply) = service.upload(label.short_name(), &pictures);
        let expected = (200, &json!(count));
        assert_eq!((status, &reply["uploaded_count"]), expected, "{reply}");
    }
}

#[test]
fn a_better_model_serves_and_the_way_back_is_open() {
    let workshop = Workshop::new();
    let service = Service::start_in(&workshop.store(), &workshop.model(), &[]);
    assert_eq!(serving(&service), "v1");
    upload(&service, 20, |class| (class, 77_000));
    let job = ask(&service, QUICK);
    let done = until_it_is(&service, &job, "completed");
    assert_eq!(
        (&done["progress"], &done["model_version"]),
        (&json!(100), &json!("v2"))
    );
    assert_eq!(done["error"], Value::Null);
    assert!(done["accuracy"].as_f64() > Some(0.6), "{done}");
    assert!(done["loss"].as_f64() > Some(0.0), "{done}");
    let message = done["message"].as_str().expect("a sentence");
    assert!(message.starts_with("v2 serves: it judges "), "{message}");
    assert!(message.contains("uploads (v1: "), "{message}");
    until_serves(&service, "v2");
    let right = Class::ALL
        .iter()
        .filter(|class| named(&service, &picture(**class, 5)) == class.short_name());
    assert!(right.count() >= 3);

    let (_, versions) = service.get("/model_versions");
    assert_eq!(versions["serving"], "v2");
    assert_eq!(versions["versions"][0]["job_id"], job.as_str());
    let confusion = &versions["versions"][0]["evaluation"]["confusion"];
    assert_eq!(confusion.as_array().map(Vec::len), Some(4));
    let (status, back) = service.post_to("/model_versions/v1/serve", JSON, b"");
    assert_eq!((status, &back["serving"]), (200, &json!(true)), "{back}");
    assert_eq!(serving(&service), "v1");
    assert_eq!(
        service.post_to("/model_versions/v9/serve", JSON, b"").0,
        404
    );
    drop(service);
    // What serves is remembered.
    let service = Service::start_in(&workshop.store(), &workshop.model(), &[]);
    assert_eq!(serving(&service), "v1");
    assert_eq!(
        service.post_to("/model_versions/v2/serve", JSON, b"").0,
        200
    );
    drop(service);
    let service = Service::start_in(&workshop.store(), &workshop.model(), &[]);
    assert!(
        service.ready_line.contains("(v2)"),
        "{}",
        service.ready_line
    );
}

#[test]
fn a_service_whose_program_was_replaced_retrains_as_before() {
    let workshop = Workshop::new();
    let folder = tempfile::tempdir().expect("a folder");
    let (file, other) = (folder.path().join("classifier"), folder.path().join("new"));
    std::fs::copy(program().get_program(), &file).expect("a copy");
    let command = command_of(Command::new(&file), 0, &workshop.model(), &workshop.store());
    let service = Service::started(command);
    std::fs::write(&other, "another program").expect("a file");
    std::fs::rename(&other, &file).expect("it takes the other's place");
    let job = ask(&service, QUICK);
    until_it_is(&service, &job, "completed");
}

#[test]
fn a_worse_model_does_not_serve() {
    let workshop = Workshop::new();
    let images = workshop.images();
    let flags = ["--data", images.to_str().expect("text")];
    let service = Service::start_in(&workshop.store(), &workshop.model(), &flags);
    upload(&service, 30, |class| (class, 77_000));
    // Training stops early while nothing gets better, which is often so at the very start.
    let longer = br#"{"epochs":20,"batch_size":16,"learning_rate":0.02}"#;
    let good = (0..10).find_map(|_| {
        let job = ask(&service, longer);
        let done = until_it_is(&service, &job, "completed");
        let good = done["accuracy"].as_f64() >= Some(0.95);
        done["model_version"]
            .as_str()
            .filter(|_| good)
            .map(str::to_owned)
    });
    let good = good.expect("ten jobs learn four textures");
    until_serves(&service, &good);
    // Now most pictures of stripes are said to be something else.
    upload(&service, 90, |class| match class {
        Class::Glioma => (Class::Meningioma, 88_000),
        Class::Meningioma => (Class::Glioma, 88_000),
        class => (class, 88_000),
    });
    let job = ask(
        &service,
        br#"{"epochs":6,"batch_size":16,"learning_rate":0.05}"#,
    );
    let done = until_it_is(&service, &job, "completed");
    let message = done["message"].as_str().expect("a sentence");
    assert!(message.starts_with(&format!("{good} stays")), "{message}");
    assert_eq!(done["model_version"], Value::Null);
    assert_eq!(serving(&service), good);
}

#[test]
fn a_version_that_is_chosen_while_a_job_runs_stays() {
    let workshop = Workshop::slow();
    drop(Service::start_in(&workshop.store(), &workshop.model(), &[]));
    // Another file, so that there are two versions to choose from.
    let shipped = ModelFile {
        version: "v2".to_owned(),
        ..ModelFile::untrained(Architecture::default(), 2)
    };
    shipped.save(&workshop.model()).expect("a model file");
    let service = Service::start_in(&workshop.store(), &workshop.model(), &[]);
    assert_eq!(serving(&service), "v2");
    let job = ask(&service, br#"{"epochs":2,"batch_size":16}"#);
    until_it_is(&service, &job, "running");
    let (status, _) = service.post_to("/model_versions/v1/serve", JSON, b"");
    assert_eq!(status, 200);
    let done = until_it_is(&service, &job, "completed");
    assert_eq!(
        done["message"],
        "v1 stays: it was chosen while this job ran, which compared its result with v2; ask again \
         to improve on v1"
    );
    assert_eq!(done["model_version"], Value::Null);
    assert_eq!(serving(&service), "v1");
}

#[test]
fn many_wishes_become_few_jobs_and_each_can_be_cancelled() {
    let workshop = Workshop::slow();
    let flags = ["--retrain-queue", "2"];
    let service = Service::start_in(&workshop.store(), &workshop.model(), &flags);
    let running = ask(&service, LONG);
    until_it_is(&service, &running, "running");
    let waiting = ask(&service, LONG);
    assert_ne!(running, waiting);
    std::thread::scope(|scope| {
        for _ in 0..50 {
            scope.spawn(|| assert_eq!(ask(&service, LONG), waiting));
        }
    });
    let other = ask(&service, br#"{"epochs":99}"#);
    let (status, reply) = service.post_to("/retrain", JSON, br#"{"epochs":98}"#);
    assert_eq!(
        (status, &reply["detail"]),
        (503, &json!("2 retraining jobs wait already"))
    );
    let (_, list) = service.get("/retrain_jobs");
    assert_eq!(list["total_jobs"], 3);
    assert_eq!(list["jobs"][&waiting]["status"], "queued");
    assert_eq!(list["jobs"][&running]["job_id"], running.as_str());

    let cancel = |job: &str| service.post_to(&format!("/retrain_jobs/{job}/cancel"), JSON, b"");
    assert_eq!(cancel(&waiting).1["status"], "cancelled");
    assert_eq!(cancel(&other).1["status"], "cancelled");
    assert_eq!(cancel(&running).1["status"], "running");
    until_it_is(&service, &running, "cancelled");
    let (status, reply) = cancel(&running);
    assert_eq!(status, 409);
    assert_eq!(
        reply["detail"],
        format!("job {running} cannot be cancelled: it is cancelled")
    );
    assert_eq!(cancel("x").0, 404);
    assert_eq!(service.get("/retrain_status/x").0, 404);
    assert_eq!(serving(&service), "v1");
}

#[test]
fn settings_and_images_that_do_not_do_are_told() {
    let workshop = Workshop::new();
    let service = Service::start_in(&workshop.store(), &workshop.model(), &[]);
    for body in [
        &br#"{"epochs":0}"#[..],
        br#"{"epochs":-1}"#,
        br#"{"epochs":1000000000}"#,
        br#"{"learning_rate":NaN}"#,
        br#"{"epochs":1,"epochs":2}"#,
        b"\xff",
    ] {
        let (status, reply) = service.post_to("/retrain", JSON, body);
        let said = reply["detail"].as_str().expect("a message");
        assert_eq!(status, 422, "{said}");
        assert!(said.starts_with("retraining settings: "), "{said}");
    }
    assert_eq!(service.get("/retrain_jobs").1["total_jobs"], 0);
    // 64 pictures do not fill a batch of 256.
    let job = ask(&service, br#"{"batch_size":256}"#);
    let failed = until_it_is(&service, &job, "failed");
    let error = failed["error"].as_str().expect("a message");
    assert!(error.contains("do not fill one batch of 256"), "{error}");
    drop(service);

    std::fs::remove_file(workshop.model().with_extension("replay")).expect("a file");
    let service = Service::start_in(&workshop.store(), &workshop.model(), &[]);
    let (status, reply) = service.post_to("/retrain", JSON, b"");
    assert_eq!(status, 409, "{reply}");
    assert_eq!(service.get("/dataset_stats").1["base"], Value::Null);
}

#[test]
fn replicas_share_uploads_jobs_and_models_and_take_over_from_each_other() {
    let workshop = Workshop::slow();
    let start = || Service::start_in(&workshop.store(), &workshop.model(), &[]);
    let first = start();
    let job = ask(&first, ONE_EPOCH);
    until_it_is(&first, &job, "completed");
    // The first one takes it before there is another.
    let long = ask(&first, LONG);
    until_it_is(&first, &long, "running");
    let second = start();
    assert_eq!(
        second.upload("glioma", &[&sample("glioma/glioma_1.jpg")]).0,
        200
    );
    assert_eq!(first.get("/dataset_stats").1["uploads"]["images"], 1);
    assert_eq!(second.post_to("/model_versions/v1/serve", JSON, b"").0, 200);
    until("the first follows", || {
        (serving(&first) == "v1").then_some(())
    });
    let next = ask(&second, ONE_EPOCH);
    drop(first); // Killed.
    let interrupted = until_it_is(&second, &long, "interrupted");
    let why = "the service ended while this job ran; ask for it again";
    assert_eq!(interrupted["error"], why);
    until_it_is(&second, &next, "completed");
}
