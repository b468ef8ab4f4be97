//! Signals end a run: the first in order, the second at once. Each case runs in
//! a process of its own, this test's program again.

use std::io::{BufRead, BufReader};
use std::process::{Child, Command, Stdio};

use crate::support::{options, start};
use acrida_engine::Action;

const CASE: &str = "ACRIDA_SIGNAL_CASE";

/// What the other process does: says when it is ready, and then obeys or not.
#[test]
fn child() {
    let Ok(case) = std::env::var(CASE) else {
        return; // Not asked to be the other process.
    };
    let driver = start(options(".".as_ref(), &["--headless", "--only-summary"]));
    driver.drive(&Action::SpawningComplete { user_count: 1 });
    eprintln!("ready");
    if case == "obeys" {
        driver.drive(&Action::Quit);
        std::process::exit(driver.finish() + 40);
    }
    driver
        .actions
        .iter()
        .find(|action| *action == Action::TestStopping);
    eprintln!("asked to stop");
    loop {
        std::thread::park();
    }
}

fn spawn(case: &str) -> (Child, impl Iterator<Item = String>) {
    let mut child = Command::new(std::env::current_exe().expect("this program"))
        .args(["--exact", "signals::child", "--nocapture"])
        .env(CASE, case)
        .stderr(Stdio::piped())
        .stdout(Stdio::null())
        .spawn()
        .expect("this program again");
    let lines = BufReader::new(child.stderr.take().expect("a pipe")).lines();
    (child, lines.map_while(Result::ok))
}

fn signal(child: &Child, name: &str) {
    let status = Command::new("kill")
        .args([name, &child.id().to_string()])
        .status();
    assert!(status.expect("the command kill").success());
}

#[test]
fn the_first_signal_ends_the_run_in_order() {
    for name in ["-INT", "-TERM"] {
        let (mut child, mut lines) = spawn("obeys");
        assert!(lines.any(|line| line == "ready"));
        signal(&child, name);
        let rest: Vec<_> = lines.collect();
        assert_eq!(child.wait().expect("an end").code(), Some(40), "{name}");
        assert!(
            rest.iter().any(|line| line.contains("Aggregated")),
            "{name}: {rest:?}"
        );
    }
}

#[test]
fn the_second_signal_ends_at_once_with_a_summary() {
    let (mut child, mut lines) = spawn("hangs");
    assert!(lines.any(|line| line == "ready"));
    signal(&child, "-INT");
    assert!(lines.any(|line| line == "asked to stop"));
    signal(&child, "-TERM");
    let rest: Vec<_> = lines.collect();
    assert_eq!(child.wait().expect("an end").code(), Some(0));
    assert!(
        rest.iter().any(|line| line.contains("Aggregated")),
        "{rest:?}"
    );
}
