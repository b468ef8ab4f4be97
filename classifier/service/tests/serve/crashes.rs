//! `kill -9`, in the middle of things: nothing that was acknowledged is lost.

use std::path::{Path, PathBuf};
use std::sync::Mutex;

use classifier_imaging::Class;

use crate::pictures::{Workshop, picture};
use crate::retraining::{LONG, ONE_EPOCH, ask, until_it_is};
use crate::support::{Service, until};

/// The processes that a process started.
pub(crate) fn children(pid: u32) -> Vec<PathBuf> {
    let tasks = std::fs::read_dir(format!("/proc/{pid}/task")).expect("threads");
    tasks
        .flatten()
        .filter_map(|task| std::fs::read_to_string(task.path().join("children")).ok())
        .flat_map(|list| {
            list.split_whitespace()
                .map(str::to_owned)
                .collect::<Vec<_>>()
        })
        .map(|child| Path::new("/proc").join(child))
        .collect()
}

/// Whether a process has ended; one that nobody waited for has too.
fn is_gone(process: &Path) -> bool {
    let stat = std::fs::read_to_string(process.join("stat"));
    stat.map_or(true, |stat| stat.contains(") Z "))
}

#[test]
fn every_acknowledged_upload_survives_kill_9() {
    let workshop = Workshop::new();
    let service = Service::start_in(&workshop.store(), &workshop.model(), &[]);
    let acknowledged = Mutex::new(Vec::new());
    std::thread::scope(|scope| {
        for sender in 0..4 {
            let (service, acknowledged) = (&service, &acknowledged);
            scope.spawn(move || {
                for i in 0..100_000 {
                    let class = Class::ALL[i % 4];
                    let seed = (sender * 1_000_000 + i) as u64;
                    let images = [picture(class, seed), picture(class, seed + 500_000)];
                    let images = [&images[0][..], &images[1]];
                    let Some(reply) = service.try_upload(class.short_name(), &images) else {
                        return;
                    };
                    for (name, image) in
                        reply["names"].as_array().expect("names").iter().zip(images)
                    {
                        let name = format!("{class}/{}", name.as_str().expect("a name"));
                        acknowledged
                            .lock()
                            .expect("a list")
                            .push((name, image.to_vec()));
                    }
                }
            });
        }
        until("40 images are acknowledged", || {
            (acknowledged.lock().expect("a list").len() >= 40).then_some(())
        });
        service.signal("-KILL");
    });
    drop(service);
    let service = Service::start_in(&workshop.store(), &workshop.model(), &[]);
    let acknowledged = acknowledged.into_inner().expect("a list");
    let (_, stats) = service.get("/dataset_stats");
    let stored = stats["uploads"]["images"].as_u64().expect("a number") as usize;
    // At most one upload of each sender was stored but not yet acknowledged.
    assert!(
        (acknowledged.len()..=acknowledged.len() + 8).contains(&stored),
        "{stored}"
    );
    for (name, image) in &acknowledged {
        let path = workshop.store().join("uploads").join(name);
        assert_eq!(&std::fs::read(&path).expect("a file"), image, "{name}");
        let (class, _) = name.split_once('/').expect("a class");
        let (status, again) = service.upload(class, &[image]);
        assert_eq!(
            (status, again["duplicates"].as_u64()),
            (200, Some(1)),
            "{name}"
        );
    }
    let unfinished = std::fs::read_dir(workshop.store().join("unfinished"));
    assert_eq!(unfinished.expect("a folder").count(), 0);
}

#[test]
fn a_job_that_kill_9_ended_says_so_and_the_next_one_runs() {
    let workshop = Workshop::slow();
    let service = Service::start_in(&workshop.store(), &workshop.model(), &[]);
    let job = ask(&service, LONG);
    until_it_is(&service, &job, "running");
    let next = ask(&service, ONE_EPOCH);
    let training = until("a process trains", || children(service.child.id()).pop());
    assert!(!is_gone(&training));
    service.signal("-KILL");
    until("it has ended with the service", || {
        is_gone(&training).then_some(())
    });
    drop(service);
    let service = Service::start_in(&workshop.store(), &workshop.model(), &[]);
    let ended = until_it_is(&service, &job, "interrupted");
    assert!(ended["completed_at"].is_string(), "{ended}");
    until_it_is(&service, &next, "completed");
}

#[test]
fn a_training_process_that_is_killed_fails_its_job_alone() {
    let workshop = Workshop::slow();
    let service = Service::start_in(&workshop.store(), &workshop.model(), &[]);
    let job = ask(&service, LONG);
    let training = until("a process trains", || children(service.child.id()).pop());
    let pid = training.file_name().expect("a number");
    let killed = std::process::Command::new("kill")
        .arg("-KILL")
        .arg(pid)
        .status();
    assert!(killed.expect("the command kill").success());
    let failed = until_it_is(&service, &job, "failed");
    let error = failed["error"].as_str().expect("a message");
    assert!(
        error.starts_with("the training process ended early: signal: 9"),
        "{error}"
    );
    assert_eq!(service.get("/health").0, 200);
}

#[test]
fn a_job_that_runs_when_the_service_is_told_to_stop_is_interrupted() {
    let workshop = Workshop::slow();
    let service = Service::start_in(&workshop.store(), &workshop.model(), &[]);
    let job = ask(&service, LONG);
    until_it_is(&service, &job, "running");
    service.signal("-TERM");
    assert_eq!(service.end(), (Some(0), "stopped\n".to_owned()));
    let service = Service::start_in(&workshop.store(), &workshop.model(), &[]);
    until_it_is(&service, &job, "interrupted");
}
