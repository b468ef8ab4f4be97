//! `classifier train` with flags that make no sense: told before any image is read.

use std::process::Command;

#[test]
fn senseless_flags_are_named_at_once_and_nothing_is_made() {
    let folder = tempfile::tempdir().expect("a folder");
    let here = folder.path().display().to_string();
    let out_is_folder = format!("--out {here} is a folder; name a file");
    for (flag, value, complaint) in [
        ("--mixup", "2", "mixup is 2; it has to be from 0 to 1"),
        ("--mixup", "nan", "mixup is NaN; it has to be from 0 to 1"),
        (
            "--epochs",
            "0",
            "the number of epochs has to be a positive number",
        ),
        (
            "--batch-size",
            "20",
            "batch size 20 is not a multiple of 16, or zero",
        ),
        (
            "--model-version",
            "../x",
            "--model-version \"../x\": expected 1 to 64 letters, digits, dots, hyphens and underscores",
        ),
        ("--out", &here, &out_is_folder),
    ] {
        let output = Command::new(env!("CARGO_BIN_EXE_classifier"))
            .current_dir(folder.path())
            .args(["train", "--data", "/no/such/folder", flag, value])
            .output()
            .expect("the program runs");
        assert_eq!(output.status.code(), Some(1), "{output:?}");
        let said = String::from_utf8(output.stderr).expect("text");
        assert_eq!(said, format!("classifier: {complaint}\n"));
        let made = std::fs::read_dir(folder.path()).expect("a folder").count();
        assert_eq!(made, 0, "{flag} {value}");
    }
}
