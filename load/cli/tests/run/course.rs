//! Runs with a host that executes users in the test's thread.

use std::fs;

use crate::support::{options, start};
use acrida_engine::{Action, Command};

const FILES: [&str; 4] = [
    "_stats.csv",
    "_stats_history.csv",
    "_failures.csv",
    "_exceptions.csv",
];

#[test]
fn a_run_goes_from_start_to_finish_and_leaves_its_files() {
    let folder = tempfile::tempdir().expect("a folder");
    let prefix = folder.path().join("logs/deep/x");
    let prefix = prefix.to_str().expect("a path in UTF-8");
    let args = [
        "--headless",
        "-u",
        "2",
        "-r",
        "1000",
        "--csv",
        prefix,
        "--only-summary",
        // A run this short may or may not see what it uses.
        "--watch",
        "none",
    ];
    let driver = start(options(folder.path(), &args));
    let begun = driver.drive(&Action::SpawningComplete { user_count: 2 });
    assert_eq!(begun, ["TestStart", "Spawn", "Spawn", "SpawningComplete"]);
    driver.control.send(Command::Quit);
    let ended = driver.drive(&Action::Quit);
    assert_eq!(ended, ["TestStopping", "StopUsers", "TestStop", "Quit"]);
    assert_eq!(driver.finish(), 0);
    for name in FILES {
        assert!(
            fs::metadata(format!("{prefix}{name}")).is_ok_and(|file| file.len() > 0),
            "{name}"
        );
    }
    let left = fs::read_dir(folder.path().join("logs/deep"))
        .expect("the folder")
        .count();
    assert_eq!(left, FILES.len(), "no file is left beside them");
}

#[test]
fn failures_and_exceptions_decide_the_exit_code() {
    let folder = tempfile::tempdir().expect("a folder");
    for (why, fails, raises, expected) in [
        ("all went well", false, false, 0),
        ("a request failed", true, false, 4),
        ("a task raised", false, true, 4),
    ] {
        let args = ["--headless", "--exit-code-on-error", "4", "--only-summary"];
        let driver = start(options(folder.path(), &args));
        if fails {
            driver.request(Some("500"));
        }
        driver.drive(&Action::SpawningComplete { user_count: 1 });
        if fails {
            driver.request(Some("500"));
        }
        if raises {
            driver
                .run
                .collector()
                .record_exception("boom", "Traceback", "local");
        }
        driver.control.send(Command::Quit);
        driver.drive(&Action::Quit);
        assert_eq!(driver.finish(), expected, "{why}");
    }
}

#[test]
fn what_was_measured_before_the_test_is_forgotten() {
    let folder = tempfile::tempdir().expect("a folder");
    let driver = start(options(
        folder.path(),
        &["--headless", "--only-summary", "-u", "3", "-r", "99"],
    ));
    driver.drive(&Action::SpawningComplete { user_count: 3 });
    let snapshot = driver.run.collector().snapshot();
    assert_eq!(snapshot.total.num_requests, 3);
    driver.control.send(Command::Quit);
    driver.drive(&Action::Quit);
    driver.finish();
}

/// The third field (Locust's `Request Count`) of the row of totals.
fn total_requests(prefix: &str) -> String {
    let text = fs::read_to_string(format!("{prefix}_stats.csv")).expect("the file");
    let total = text.lines().find(|line| line.starts_with(",Aggregated,"));
    let field = total.and_then(|line| line.split(',').nth(2));
    field.expect("a row of totals").to_owned()
}

#[test]
fn what_comes_in_after_the_stop_is_in_the_files_to_the_last_request() {
    let folder = tempfile::tempdir().expect("a folder");
    let prefix = folder.path().join("x").display().to_string();
    let args = ["--headless", "--only-summary", "--csv", &prefix];
    let driver = start(options(folder.path(), &args));
    driver.drive(&Action::SpawningComplete { user_count: 1 });
    (0..998).for_each(|_| driver.request(None));
    driver.control.send(Command::Quit);
    driver.drive(&Action::Quit);
    driver.request(Some("500"));
    assert_eq!(driver.finish(), 1);
    assert_eq!(total_requests(&prefix), "1000");
    let failures = fs::read_to_string(format!("{prefix}_failures.csv")).expect("the file");
    assert_eq!(failures.lines().count(), 2, "{failures}");
}
