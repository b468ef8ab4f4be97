//! `classifier evaluate`, as a shell calls it.

use std::process::{Command, Stdio};

fn evaluate(arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_classifier"));
    command
        .current_dir(concat!(env!("CARGO_MANIFEST_DIR"), "/../.."))
        .args(["evaluate", "--data", "samples"])
        .args(arguments);
    command
}

#[test]
fn the_samples_are_told_apart() {
    let output = evaluate(&["--json"]).output().expect("the program starts");
    assert!(output.status.success());
    let report: serde_json::Value = serde_json::from_slice(&output.stdout).expect("JSON");
    assert_eq!(report["images"], 12, "{report}");
}

#[test]
fn a_reader_that_goes_away_is_no_failure() {
    let mut child = evaluate(&[])
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("the program starts");
    drop(child.stdout.take());
    let output = child.wait_with_output().expect("it ends");
    assert!(output.status.success());
    assert_eq!(String::from_utf8_lossy(&output.stderr), "");
}
