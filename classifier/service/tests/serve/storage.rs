//! A disk that is full, and an end in the middle of a change of the model.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, Instant};

use classifier_imaging::{Class, Random};

use crate::crashes::children;
use crate::pictures::{Workshop, picture, png_of};
use crate::retraining::{ONE_EPOCH, ask, serving, status_of, until_it_is};
use crate::support::{Service, until};

const JSON: &str = "application/json";

/// A disk of a few megabytes, mounted as long as this lives.
struct SmallDisk(tempfile::TempDir);

impl SmallDisk {
    /// `None`, said, where mounting is not permitted.
    fn mount(size: &str) -> Option<SmallDisk> {
        let folder = tempfile::tempdir().expect("a folder");
        let mounted = Command::new("mount")
            .args(["-t", "tmpfs", "-o", &format!("size={size}"), "tmpfs"])
            .arg(folder.path())
            .output();
        match mounted {
            Ok(output) if output.status.success() => Some(SmallDisk(folder)),
            other => {
                eprintln!("skipped: a small disk cannot be mounted here: {other:?}");
                None
            }
        }
    }

    fn path(&self) -> &Path {
        self.0.path()
    }

    /// Leaves no byte free; returns the file to remove for room.
    fn fill(&self) -> PathBuf {
        let path = self.path().join("filler");
        let mut file = std::fs::File::create(&path).expect("a file");
        // Ends with the error that the disk is full.
        let zeros = std::io::repeat(0);
        std::io::copy(&mut { zeros }, &mut file).expect_err("a full disk");
        path
    }
}

impl Drop for SmallDisk {
    fn drop(&mut self) {
        let _ = Command::new("umount").arg(self.path()).status();
    }
}

#[test]
fn a_full_disk_is_507_and_what_was_acknowledged_stays() {
    let Some(disk) = SmallDisk::mount("4m") else {
        return;
    };
    let workshop = Workshop::new();
    let service = Service::start_in(disk.path(), &workshop.model(), &[]);
    let mut random = Random::new(3);
    let mut noise = || {
        let pixels: Vec<u8> = (0..300 * 300).map(|_| random.below(256) as u8).collect();
        png_of(300, &pixels)
    };
    let mut acknowledged = Vec::new();
    let refused = (0..100).find_map(|_| {
        let image = noise();
        let (status, reply) = service.upload("glioma", &[&image]);
        if status == 200 {
            let name = reply["names"][0].as_str().expect("a name").to_owned();
            acknowledged.push((name, image));
            return None;
        }
        Some((status, reply))
    });
    let (status, reply) = refused.expect("a hundred do not fit");
    assert_eq!(status, 507, "{reply}");
    assert_eq!(reply["detail"], "there is no space left to store this");
    assert!(acknowledged.len() > 5, "{}", acknowledged.len());
    // Whole or not at all: nothing of the refused one takes room.
    let unfinished = std::fs::read_dir(disk.path().join("unfinished"));
    assert_eq!(unfinished.expect("a folder").count(), 0);
    assert_eq!(service.post("file", &acknowledged[0].1).0, 200);

    let filler = disk.fill();
    // Not a byte is left for the database either.
    let full = until("the database is full", || {
        let (status, reply) = service.post_to("/retrain", JSON, b"");
        (status != 200).then_some((status, reply))
    });
    assert_eq!(full.0, 507, "{}", full.1);
    assert_eq!(service.get("/ready").0, 200);
    drop(service); // Killed.
    std::fs::remove_file(filler).expect("a file");
    let service = Service::start_in(disk.path(), &workshop.model(), &[]);
    let (_, stats) = service.get("/dataset_stats");
    let listed = stats["uploads"]["images"].as_u64().expect("a number");
    assert_eq!(listed as usize, acknowledged.len());
    for (name, image) in &acknowledged {
        let path = disk.path().join("uploads/Glioma").join(name);
        assert_eq!(&std::fs::read(path).expect("a file"), image, "{name}");
    }
}

#[test]
fn a_retraining_whose_disk_fills_says_so_and_the_next_one_runs() {
    let Some(disk) = SmallDisk::mount("24m") else {
        return;
    };
    let workshop = Workshop::slow();
    let service = Service::start_in(disk.path(), &workshop.model(), &[]);
    let job = ask(&service, ONE_EPOCH);
    until("a process trains", || children(service.child.id()).pop());
    let filler = disk.fill();
    until("it has ended", || {
        children(service.child.id()).is_empty().then_some(())
    });
    assert_eq!(serving(&service), "v1");
    std::fs::remove_file(filler).expect("a file");
    let ended = until("the job has ended", || {
        let job = status_of(&service, &job);
        (job["status"] != "running").then_some(job)
    });
    let said = ended["error"].as_str().expect("a reason");
    assert!(
        said.contains("No space left") || said.contains("ask for it again"),
        "{ended}"
    );
    let next = ask(&service, ONE_EPOCH);
    until_it_is(&service, &next, "completed");
}

fn until_it_began(service: &Service, job: &str) {
    until("the job has begun", || {
        (status_of(service, job)["status"] != "queued").then_some(())
    });
}

#[test]
fn kill_9_while_the_model_changes_leaves_all_of_it_or_nothing() {
    let workshop = Workshop::new();
    let store = workshop.store();
    let took = {
        let service = Service::start_in(&store, &workshop.model(), &[]);
        let job = ask(&service, ONE_EPOCH);
        until_it_began(&service, &job);
        let began = Instant::now();
        until_it_is(&service, &job, "completed");
        began.elapsed()
    };
    // The moment of the change is looked for by halves: it lies after `early`, where
    // a kill came before it, and before `late`, where a kill came after it.
    let (mut early, mut late) = (Duration::ZERO, took);
    let mut killed_in_time = 0;
    for round in 0..8_u32 {
        let service = Service::start_in(&store, &workshop.model(), &[]);
        let before = serving(&service);
        // Another job's leftover runs until its lease is over; this one waits as long.
        let job = ask(&service, ONE_EPOCH);
        until_it_began(&service, &job);
        let moment = (early + late) / 2;
        std::thread::sleep(moment);
        service.signal("-KILL");
        drop(service);
        let service = Service::start_in(&store, &workshop.model(), &[]);
        let job = status_of(&service, &job);
        let (_, versions) = service.get("/model_versions");
        assert_eq!(versions["serving"], serving(&service).as_str());
        match job["model_version"].as_str() {
            Some(version) => {
                assert_eq!(job["status"], "completed", "{job}");
                assert_eq!(serving(&service), version);
                late = moment;
            }
            None => {
                assert_eq!(serving(&service), before, "{job}");
                early = moment;
                killed_in_time += 1;
            }
        }
        for version in versions["versions"].as_array().expect("a list") {
            let version = version["version"].as_str().expect("a name");
            let (status, reply) =
                service.post_to(&format!("/model_versions/{version}/serve"), JSON, b"");
            assert_eq!(status, 200, "{version}: {reply}");
        }
        assert_eq!(
            service
                .post("file", &picture(Class::Glioma, u64::from(round)))
                .0,
            200
        );
    }
    assert!(killed_in_time > 0, "not one was killed in time");
}
