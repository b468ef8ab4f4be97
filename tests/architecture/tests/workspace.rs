//! The workspace as it is, held against the rules.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use architecture_rules::{PURE_WORDS, RULES, Workspace, violations};

const ROOT: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../..");

#[test]
fn every_crate_uses_only_what_it_may() {
    let found = violations(&Workspace::from_metadata(&metadata()), RULES);
    assert!(found.is_empty(), "\n{}\n", found.join("\n"));
}

#[test]
fn pure_sources_read_no_clock_and_no_file() {
    let mut found = Vec::new();
    for folder in RULES.iter().filter_map(|rule| rule.pure_sources) {
        let files = rust_files(&Path::new(ROOT).join(folder));
        assert!(!files.is_empty(), "{folder} has sources");
        for file in files {
            let text = fs::read_to_string(&file).expect("a source file");
            // Unit tests stand at the end of a file, and may do what they like.
            let code = text
                .lines()
                .take_while(|line| line.trim() != "#[cfg(test)]");
            for (number, line) in code.enumerate() {
                let code = line.split("//").next().unwrap_or_default();
                if let Some(word) = PURE_WORDS.iter().find(|word| code.contains(*word)) {
                    found.push(format!("{}:{}: {word}", file.display(), number + 1));
                }
            }
        }
    }
    assert!(found.is_empty(), "\n{}\n", found.join("\n"));
}

/// For this platform only: others' dependencies need not be downloaded.
fn metadata() -> serde_json::Value {
    let output = Command::new(env!("CARGO"))
        .args([
            "metadata",
            "--format-version=1",
            "--locked",
            "--filter-platform",
            &host(),
        ])
        .current_dir(ROOT)
        .output()
        .expect("cargo runs");
    let complaint = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "cargo metadata: {complaint}");
    serde_json::from_slice(&output.stdout).expect("JSON")
}

fn host() -> String {
    let output = Command::new("rustc")
        .arg("-vV")
        .output()
        .expect("rustc runs");
    let text = String::from_utf8(output.stdout).expect("text");
    let host = text.lines().find_map(|line| line.strip_prefix("host: "));
    host.expect("rustc names its host").to_owned()
}

fn rust_files(folder: &Path) -> Vec<PathBuf> {
    let mut files = Vec::new();
    for entry in fs::read_dir(folder).expect("a folder of sources") {
        let path = entry.expect("an entry").path();
        if path.is_dir() {
            files.extend(rust_files(&path));
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            files.push(path);
        }
    }
    files
}
