use std::fs;
use std::path::Path;

use acrida_report::windows::Window;
use rusqlite::Connection;

use super::*;

fn windows() -> Vec<EntryWindows> {
    let window = |requests| Window {
        seconds: 1,
        users: 3,
        requests,
        failures: 1,
        times: vec![(1_000, requests - 1), (25_000, 1)],
    };
    ["/a", "/b"]
        .map(|name| EntryWindows {
            method: "GET".to_owned(),
            name: name.to_owned(),
            windows: (2..14).map(window).collect(),
        })
        .to_vec()
}

fn summary(title: &str) -> RunSummary {
    RunSummary {
        title: title.to_owned(),
        start_s: Some(1_700_000_000.25),
        ..RunSummary::default()
    }
}

fn keep_run(path: &Path, title: &str) -> Result<Kept, HistoryError> {
    let run = NewRun {
        summary: &summary(title),
        windows: &windows(),
        version: "0.1.0",
        machine: "vm",
        settings: "{}",
        exit_code: 3,
    };
    keep(&Place::File(path.to_owned()), &run)
}

fn add(path: &Path, title: &str) -> i64 {
    match keep_run(path, title).expect("room for a run") {
        Kept::Numbered { id, .. } => id,
        Kept::Waits { file, .. } => panic!("a file waits in {}", file.display()),
    }
}

fn open(path: &Path) -> Result<History, HistoryError> {
    History::open(&Place::File(path.to_owned()))
}

fn change(path: &Path, sql: &str, id: i64) {
    let database = Connection::open(path).expect("a database");
    let parameters = [id];
    let parameters = &parameters[..sql.matches('?').count()];
    database
        .execute(sql, rusqlite::params_from_iter(parameters))
        .expect("a change");
}

#[test]
fn a_run_is_there_again_after_the_file_was_closed() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("deep/history.db");
    let first = add(&path, "first");
    let second = add(&path, "second");
    assert!(second > first);
    let history = open(&path).expect("a history");
    let kept = history.run(first).expect("readable").expect("kept");
    assert_eq!((&kept.summary, kept.exit_code), (&summary("first"), 3));
    assert_eq!(history.windows(first).expect("readable"), windows());
    let titles: Vec<_> = history
        .newest(5)
        .expect("readable")
        .into_iter()
        .map(|run| run.summary.title)
        .collect();
    assert_eq!(titles, ["second", "first"]);
    assert_eq!(history.run(99).expect("readable"), None);
}

#[test]
fn the_oldest_runs_are_forgotten_with_their_windows() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("h.db");
    let first = add(&path, "first");
    let fill = "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 999) \
                INSERT INTO run (started_s, version, machine, settings, exit_code, summary) \
                SELECT i, '', '', '', 0, summary FROM n, (SELECT summary FROM run LIMIT 1)";
    change(&path, fill, 0);
    add(&path, "last");
    let history = open(&path).expect("a history");
    assert_eq!(
        history.newest(RUNS_MAX * 2).expect("readable").len(),
        RUNS_MAX
    );
    assert_eq!(history.run(first).expect("readable"), None);
    assert_eq!(history.windows(first).expect("readable"), []);
}

#[test]
fn a_file_that_is_not_ours_stays_as_it_is() {
    let folder = tempfile::tempdir().expect("a folder");
    let text = folder.path().join("text");
    fs::write(
        &text,
        "this is a letter to somebody, and long enough to be none".repeat(20),
    )
    .expect("a file");
    let other = folder.path().join("other.db");
    let foreign = Connection::open(&other).expect("a database");
    foreign
        .execute_batch("CREATE TABLE t (x)")
        .expect("a table");
    let newer = folder.path().join("newer.db");
    add(&newer, "newer");
    let database = Connection::open(&newer).expect("a database");
    database
        .pragma_update(None, "user_version", 99)
        .expect("a version");
    for (path, part) in [
        (&text, "is no history"),
        (&other, "is no history"),
        (&newer, "newer acrida (format 99"),
    ] {
        let before = fs::read(path).expect("a file");
        let error = keep_run(path, "run").expect_err(part).to_string();
        assert!(error.contains(part), "{error}");
        assert_eq!(fs::read(path).expect("a file"), before);
    }
    let error = open(&folder.path().join("missing.db")).expect_err("missing");
    assert!(error.to_string().contains("there is no history"));
}

#[test]
fn a_half_written_file_is_an_error_and_a_damaged_run_is_named() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("h.db");
    let (good, bad) = (add(&path, "good"), add(&path, "bad"));
    change(&path, "UPDATE run SET summary = '{' WHERE id = ?", bad);
    change(&path, "UPDATE window SET times = x'ff' WHERE run = ?", bad);
    let history = open(&path).expect("a history");
    let error = history.run(bad).expect_err("damaged").to_string();
    assert!(error.contains(&format!("run {bad} is damaged")), "{error}");
    assert!(history.windows(bad).is_err());
    let left: Vec<_> = history
        .newest(9)
        .expect("readable")
        .into_iter()
        .map(|run| run.id)
        .collect();
    assert_eq!(left, [good]);
    drop(history);
    let bytes = fs::read(&path).expect("a file");
    fs::write(&path, &bytes[..bytes.len() / 2]).expect("a file");
    let used = open(&path).and_then(|history| {
        history.newest(9)?;
        history.windows(good)
    });
    let error = used.expect_err("half a file").to_string();
    assert!(error.contains("h.db"), "{error}");
}

#[test]
fn two_programs_may_begin_a_history_together() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("h.db");
    std::thread::scope(|scope| {
        for at in 0..4 {
            let path = &path;
            scope.spawn(move || {
                add(path, &at.to_string());
            });
        }
    });
    assert_eq!(
        open(&path)
            .expect("a history")
            .newest(9)
            .expect("readable")
            .len(),
        4
    );
}
