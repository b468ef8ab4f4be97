//! What a start prints: one line when all is well, and one when it is not.

use std::path::Path;
use std::process::Command;

use crate::support::{Service, command, model, repository};

/// The one line on stderr of a program that ends with exit code 1.
fn complaint(port: u16, model: &Path) -> String {
    let folder = tempfile::tempdir().expect("a folder");
    complaint_of(&mut command(port, model, folder.path()))
}

fn complaint_of(command: &mut Command) -> String {
    let output = command.output().expect("the program runs");
    assert_eq!(output.status.code(), Some(1), "{output:?}");
    assert!(output.stdout.is_empty(), "{output:?}");
    let complaint = String::from_utf8(output.stderr).expect("text");
    assert_eq!(complaint.lines().count(), 1, "{complaint}");
    complaint
}

#[test]
fn the_ready_line_names_model_version_address_and_threads() {
    let service = Service::start(&["--threads", "3"]);
    let line = &service.ready_line;
    let start = format!("serving {} (v", model().display());
    assert!(line.starts_with(&start), "{line}");
    let end = format!(" at http://{} on 3 threads\n", service.address);
    assert!(line.ends_with(&end), "{line}");
}

#[test]
fn a_port_in_use_is_named_with_a_way_out() {
    let first = Service::start(&[]);
    let port = first.address.port();
    assert_eq!(
        complaint(port, &model()),
        format!(
            "classifier: cannot listen on 127.0.0.1:{port}: another program does; stop it, or \
             choose another port with --port\n"
        )
    );
}

#[test]
fn a_model_that_cannot_be_used_is_named_with_the_reason() {
    let folder = tempfile::tempdir().expect("a folder");
    let good = std::fs::read(model()).expect("the shipped model");
    let mut changed = good.clone();
    changed[good.len() / 2] ^= 1;
    for (name, content, reason) in [
        ("corrupt", &changed[..], "its checksum does not match"),
        ("truncated", &good[..good.len() / 2], "damaged or cut off"),
        ("empty", b"", "not a model file"),
        ("foreign", b"PK\x03\x04", "not a model file"),
    ] {
        let path = folder.path().join(name);
        std::fs::write(&path, content).expect("a file");
        let complaint = complaint(0, &path);
        let start = format!("classifier: cannot use the model {}: ", path.display());
        assert!(complaint.starts_with(&start), "{complaint}");
        assert!(complaint.contains(reason), "{name}: {complaint}");
    }
}

#[test]
fn an_index_that_cannot_be_read_is_named_at_once() {
    let folder = tempfile::tempdir().expect("a folder");
    let mut command = command(0, &model(), folder.path());
    command.arg("--data").arg(repository("samples"));
    let complaint = complaint_of(command.args(["--index", "/no/such.csv"]));
    let start = "classifier: cannot read /no/such.csv: ";
    assert!(complaint.starts_with(start), "{complaint}");
}

#[test]
fn a_missing_model_comes_with_a_way_to_one() {
    assert_eq!(
        complaint(0, Path::new("no/such.model")),
        "classifier: there is no model file no/such.model; name one with --model, or make one \
         with 'classifier train'\n"
    );
}
