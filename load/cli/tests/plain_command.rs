//! The command without Python.

use std::process::{Command, Output};

fn acrida(args: &[&str]) -> Output {
    let folder = tempfile::tempdir().expect("a folder");
    std::fs::write(folder.path().join("locustfile.py"), "").expect("a file");
    std::fs::write(folder.path().join("bad.conf"), "users = 5\n= 6\n").expect("a file");
    Command::new(env!("CARGO_BIN_EXE_acrida"))
        .args(args)
        .current_dir(folder.path())
        .env_clear()
        .output()
        .expect("the command")
}

#[test]
fn help_and_version_need_no_locustfile() {
    for (args, part) in [
        (&["--help"][..], "--spawn-rate"),
        (
            &["-h", "-f", "missing.py"],
            "Usage: acrida [options] [UserClass ...]",
        ),
        (&["-V"], concat!("acrida ", env!("CARGO_PKG_VERSION"))),
        (
            &["--version"],
            concat!("acrida ", env!("CARGO_PKG_VERSION")),
        ),
    ] {
        let output = acrida(args);
        assert_eq!(output.status.code(), Some(0), "{args:?}");
        let stdout = String::from_utf8(output.stdout).expect("text");
        assert!(stdout.contains(part), "{args:?}: {stdout}");
        assert_eq!(output.stderr, [], "{args:?}");
    }
}

#[test]
fn every_mistake_is_one_line_on_stderr() {
    for (args, code, line) in [
        (
            &[][..],
            1,
            "acrida: running ./locustfile.py takes Python: in a clone of acrida run 'pip install .', \
             and use the command that it installs",
        ),
        (
            &["-f", "missing.py"],
            1,
            "acrida: could not find 'missing.py'. Name a file that ends with '.py', or a folder of such files, with -f",
        ),
        (
            &["--usrs", "5"],
            2,
            "acrida: error: unrecognized arguments: --usrs. Did you mean '--users'?",
        ),
        (
            &["-u", "x"],
            2,
            "acrida: error: argument -u/--users: invalid int value: 'x'",
        ),
        (
            &["--config", "bad.conf"],
            2,
            "acrida: error: bad.conf: line 2 is no setting: = 6",
        ),
        (
            &["--master"],
            2,
            "acrida: error: --master is not supported yet",
        ),
    ] {
        let output = acrida(args);
        assert_eq!(output.status.code(), Some(code), "{args:?}");
        assert_eq!(output.stdout, [], "{args:?}");
        let stderr = String::from_utf8(output.stderr).expect("text");
        assert_eq!(stderr, format!("{line}\n"), "{args:?}");
    }
}
