//! Services with nothing in common but a database and an object store.

use std::path::Path;
use std::sync::Mutex;

use classifier_imaging::Class;
use serde_json::json;
use tempfile::TempDir;

use crate::pictures::{Workshop, picture};
use crate::retraining::{LONG, ONE_EPOCH, ask, serving, until_it_is, until_serves};
use crate::servers::{ObjectStore, Postgres};
use crate::support::{Service, command, until};

const JSON: &str = "application/json";

/// What replicas share.
struct Shared {
    database: Postgres,
    objects: ObjectStore,
    workshop: Workshop,
}

/// A service, and the folder that is its alone.
struct Replica {
    service: Service,
    folder: TempDir,
}

impl Shared {
    fn new(workshop: Workshop) -> Shared {
        Shared {
            database: Postgres::start(),
            objects: ObjectStore::start(),
            workshop,
        }
    }

    fn replica(&self, model: &Path) -> Replica {
        let folder = tempfile::tempdir().expect("a folder");
        let (database, objects) = (self.database.url(), self.objects.url());
        let flags = [
            "--database",
            &database,
            "--objects",
            "s3://mri/some/folder",
            "--s3-endpoint",
            &objects,
        ];
        let service = Service::start_in(folder.path(), model, &flags);
        Replica { service, folder }
    }
}

fn images(replica: &Replica) -> u64 {
    let (status, stats) = replica.service.get("/dataset_stats");
    assert_eq!(status, 200, "{stats}");
    stats["uploads"]["images"].as_u64().expect("a number")
}

#[test]
fn replicas_on_different_machines_share_uploads_jobs_and_models() {
    let shared = Shared::new(Workshop::new());
    let model = shared.workshop.model();
    // Started together, on a database without tables.
    let (first, second) = std::thread::scope(|scope| {
        let first = scope.spawn(|| shared.replica(&model));
        let second = shared.replica(&model);
        (first.join().expect("a replica"), second)
    });
    let pictures: Vec<Vec<u8>> = (0..3).map(|seed| picture(Class::Glioma, seed)).collect();
    let pictures: Vec<&[u8]> = pictures.iter().map(Vec::as_slice).collect();
    let (status, reply) = first.service.upload("glioma", &pictures);
    assert_eq!(
        (status, &reply["uploaded_count"]),
        (200, &json!(3)),
        "{reply}"
    );
    assert_eq!(reply["saved_path"], "s3://mri/some/folder/uploads/Glioma/");
    let name = reply["names"][2].as_str().expect("a name");
    let key = format!("some/folder/uploads/Glioma/{name}");
    assert_eq!(shared.objects.object(&key), pictures[2]);
    assert_eq!(images(&second), 3);
    let (status, reply) = second.service.upload("glioma", &pictures[1..]);
    assert_eq!((status, &reply["duplicates"]), (200, &json!(2)), "{reply}");
    assert_eq!(second.service.upload("notumor", &pictures[..1]).0, 409);

    // Whichever of them takes the job, it learns from what both were given.
    let job = ask(&second.service, ONE_EPOCH);
    let done = until_it_is(&first.service, &job, "completed");
    let message = done["message"].as_str().expect("a sentence");
    assert!(message.contains("held-out base images"), "{message}");

    // A later release's model serves everywhere, and the way back is everybody's too.
    let newer = shared.workshop.newer_model();
    let third = shared.replica(&newer);
    let version = serving(&third.service);
    assert_ne!(version, "v1");
    until_serves(&first.service, &version);
    until_serves(&second.service, &version);
    let back = second
        .service
        .post_to("/model_versions/v1/serve", JSON, b"");
    assert_eq!(back.0, 200, "{}", back.1);
    for replica in [&first, &third] {
        until_serves(&replica.service, "v1");
    }
    // Nothing of it is in the folders.
    assert!(!first.folder.path().join("classifier.db").exists());
    assert!(!first.folder.path().join("uploads").exists());
}

#[test]
fn a_job_of_a_replica_that_dies_is_interrupted_by_another_which_runs_the_next() {
    let shared = Shared::new(Workshop::slow());
    let model = shared.workshop.model();
    let first = shared.replica(&model);
    assert_eq!(
        first
            .service
            .upload("glioma", &[&picture(Class::Glioma, 1)])
            .0,
        200
    );
    let job = ask(&first.service, LONG);
    until_it_is(&first.service, &job, "running");
    // It has the upload at hand, fetched from the bucket.
    let fetched = first.folder.path().join("fetched");
    until("the upload is fetched", || {
        let files = std::fs::read_dir(&fetched).expect("a folder");
        (files.count() == 2).then_some(())
    });
    let second = shared.replica(&model);
    let next = ask(&second.service, ONE_EPOCH);
    drop(first); // Killed.
    let ended = until_it_is(&second.service, &job, "interrupted");
    let why = "the service ended while this job ran; ask for it again";
    assert_eq!(ended["error"], why);
    until_it_is(&second.service, &next, "completed");
}

#[test]
fn what_a_replica_acknowledged_before_kill_9_the_others_have() {
    let shared = Shared::new(Workshop::new());
    let model = shared.workshop.model();
    let (first, second) = (shared.replica(&model), shared.replica(&model));
    let acknowledged = Mutex::new(Vec::new());
    std::thread::scope(|scope| {
        for sender in 0..4_u64 {
            let (first, acknowledged) = (&first, &acknowledged);
            scope.spawn(move || {
                for i in 0..100_000 {
                    let image = picture(Class::Glioma, sender * 1_000_000 + i);
                    // Ends with the replica.
                    let Some(reply) = first.service.try_upload("glioma", &[&image]) else {
                        return;
                    };
                    let name = reply["names"][0].as_str().expect("a name").to_owned();
                    acknowledged.lock().expect("a list").push((name, image));
                }
            });
        }
        until("20 images are acknowledged", || {
            (acknowledged.lock().expect("a list").len() >= 20).then_some(())
        });
        first.service.signal("-KILL");
    });
    let acknowledged = acknowledged.into_inner().expect("a list");
    // At most one upload of each sender was stored but not yet acknowledged.
    let stored = images(&second) as usize;
    assert!(
        (acknowledged.len()..=acknowledged.len() + 4).contains(&stored),
        "{stored}"
    );
    for (name, image) in &acknowledged {
        let key = format!("some/folder/uploads/Glioma/{name}");
        assert_eq!(&shared.objects.object(&key), image, "{name}");
    }
}

#[test]
fn predictions_go_on_while_the_database_is_away() {
    let database = Postgres::start();
    let workshop = Workshop::slow();
    let url = database.url();
    let flags = ["--database", url.as_str()];
    let service = Service::start_in(&workshop.store(), &workshop.model(), &flags);
    let image = picture(Class::Pituitary, 1);
    assert_eq!(service.upload("pituitary", &[&image]).0, 200);
    let job = ask(&service, LONG);
    until_it_is(&service, &job, "running");

    database.go_away();
    let (status, readiness) = service.get("/ready");
    assert_eq!(
        (status, &readiness["store"]),
        (503, &json!(false)),
        "{readiness}"
    );
    let (status, readiness) = service.get("/ready?for=predictions");
    assert_eq!((status, &readiness["store"]), (200, &json!(null)));
    assert_eq!(service.get("/live").0, 200);
    assert_eq!(service.post("file", &image).0, 200);
    for (status, reply) in [
        service.upload("pituitary", &[&picture(Class::Pituitary, 2)]),
        service.post_to("/retrain", JSON, b""),
        service.get("/retrain_jobs"),
        service.get("/dataset_stats"),
        service.get("/model_versions"),
    ] {
        let said = reply["detail"].as_str().expect("a message");
        assert_eq!(status, 503, "{said}");
        assert!(said.starts_with("the database failed: "), "{said}");
    }

    database.go_on();
    until("it is ready again", || {
        (service.get("/ready").0 == 200).then_some(())
    });
    // What was acknowledged is there, what was not is not, and the job is where it was.
    let (_, stats) = service.get("/dataset_stats");
    assert_eq!(stats["uploads"]["images"], 1);
    until_it_is(&service, &job, "running");
    let cancelled = service.post_to(&format!("/retrain_jobs/{job}/cancel"), JSON, b"");
    assert_eq!(cancelled.0, 200, "{}", cancelled.1);
    until_it_is(&service, &job, "cancelled");
}

#[test]
fn who_needs_the_bucket_is_told_when_it_is_away_and_predictions_go_on() {
    let workshop = Workshop::new();
    let mut shared = Shared::new(workshop);
    let model = shared.workshop.model();
    let replica = shared.replica(&model);
    let service = &replica.service;
    let ready = |status: u16, answers: bool| {
        until("readiness is as it should be", || {
            let (found, readiness) = service.get("/ready");
            assert_eq!(readiness["store"], true, "{readiness}");
            (found == status && readiness["objects"] == answers).then_some(())
        });
    };
    ready(200, true);
    for (away, back) in [
        (
            ObjectStore::go_away as fn(&mut ObjectStore),
            ObjectStore::go_on as fn(&mut ObjectStore),
        ),
        (ObjectStore::fall_silent, ObjectStore::speak),
    ] {
        away(&mut shared.objects);
        ready(503, false);
        let (status, readiness) = service.get("/ready?for=predictions");
        assert_eq!((status, &readiness["objects"]), (200, &json!(null)));
        assert_eq!(service.post("file", &picture(Class::Glioma, 1)).0, 200);
        back(&mut shared.objects);
        ready(200, true);
    }
}

#[test]
fn a_database_that_is_silent_is_given_up_and_found_again() {
    let database = Postgres::start();
    let workshop = Workshop::new();
    let url = database.url();
    let flags = ["--database", url.as_str()];
    let service = Service::start_in(&workshop.store(), &workshop.model(), &flags);
    assert_eq!(service.get("/ready").0, 200);
    database.signal("-STOP");
    assert_eq!(service.get("/ready").0, 503);
    let (status, reply) = service.get("/retrain_jobs");
    let silent = "the database failed: it does not answer";
    assert_eq!((status, &reply["detail"]), (503, &json!(silent)));
    assert_eq!(service.post("file", &picture(Class::Glioma, 1)).0, 200);
    database.signal("-CONT");
    until("it is ready again", || {
        (service.get("/ready").0 == 200).then_some(())
    });
    assert_eq!(service.get("/retrain_jobs").0, 200);
}

#[test]
fn a_database_is_asked_by_tls_where_its_address_says_so() {
    let database = Postgres::start();
    database.go_away();
    let certificate = database.use_tls();
    database.go_on();
    let workshop = Workshop::new();
    let url = format!("{}?sslmode=require", database.url());
    let mut stranger = command(0, &workshop.model(), &workshop.store());
    let output = stranger.args(["--database", &url]).output();
    let output = output.expect("the program runs");
    let said = String::from_utf8(output.stderr).expect("text");
    assert_eq!(output.status.code(), Some(1), "{said}");
    assert!(said.contains("invalid peer certificate"), "{said}");
    let ca = certificate.to_str().expect("text");
    let flags = ["--database", &url, "--database-ca", ca];
    let service = Service::start_in(&workshop.store(), &workshop.model(), &flags);
    assert_eq!(service.get("/ready").0, 200);
}

#[test]
fn a_store_that_cannot_be_used_is_one_line_at_the_start() {
    let workshop = Workshop::new();
    let nobody = "postgresql://classifier:s3cret@127.0.0.1:1/x";
    for (flags, expected) in [
        (
            &["--database", "mysql://127.0.0.1/x"][..],
            "the database's address: ",
        ),
        (&["--database", nobody], "the database failed: "),
        (
            &["--database", nobody, "--database-ca", "no/such.pem"],
            "the certificates in no/such.pem: ",
        ),
        (
            &["--objects", "gs://mri"],
            "gs://mri: expected s3://BUCKET or s3://BUCKET/FOLDER",
        ),
        (
            &[
                "--objects",
                "s3://mri",
                "--s3-endpoint",
                "http://127.0.0.1:1",
            ],
            "the object store failed: ",
        ),
    ] {
        let mut command = command(0, &workshop.model(), &workshop.store());
        let output = command.args(flags).output().expect("the program runs");
        let said = String::from_utf8(output.stderr).expect("text");
        assert_eq!(output.status.code(), Some(1), "{said}");
        assert_eq!(said.lines().count(), 1, "{said}");
        assert!(
            said.starts_with("classifier: cannot open the store "),
            "{said}"
        );
        assert!(said.contains(expected), "{said}");
        assert!(!said.contains("s3cret"), "{said}");
    }
}
