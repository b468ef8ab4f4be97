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

fn add(history: &mut History, title: &str) -> i64 {
    let added = history.add(&NewRun {
        summary: &summary(title),
        windows: &windows(),
        version: "0.1.0",
        machine: "vm",
        settings: "{}",
        exit_code: 3,
    });
    added.expect("room for a run")
}

#[test]
fn a_run_is_there_again_after_the_file_was_closed() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("deep/history.db");
    let mut history = History::open_or_create(&path).expect("a history");
    let first = add(&mut history, "first");
    drop(history);
    let mut history = History::open(&path).expect("a history");
    let second = add(&mut history, "second");
    assert!(second > first);
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
    let mut history = History::open_or_create(&folder.path().join("h.db")).expect("a history");
    let first = add(&mut history, "first");
    let fill = "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 999) \
                INSERT INTO run (started_s, version, machine, settings, exit_code, summary) \
                SELECT i, '', '', '', 0, summary FROM n, (SELECT summary FROM run LIMIT 1)";
    history.database.execute(fill, []).expect("room");
    add(&mut history, "last");
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
    drop(History::open_or_create(&newer).expect("a history"));
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
        let error = History::open_or_create(path).expect_err(part).to_string();
        assert!(error.contains(part), "{error}");
        assert_eq!(fs::read(path).expect("a file"), before);
    }
    let error = History::open(&folder.path().join("missing.db")).expect_err("missing");
    assert!(error.to_string().contains("there is no history"));
}

#[test]
fn a_half_written_file_is_an_error_and_a_damaged_run_is_named() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("h.db");
    let mut history = History::open_or_create(&path).expect("a history");
    let (good, bad) = (add(&mut history, "good"), add(&mut history, "bad"));
    history
        .database
        .execute("UPDATE run SET summary = '{' WHERE id = ?", [bad])
        .expect("a change");
    history
        .database
        .execute("UPDATE window SET times = x'ff' WHERE run = ?", [bad])
        .expect("a change");
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
    let used = History::open(&path).and_then(|history| {
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
                let mut history = History::open_or_create(path).expect("a history");
                add(&mut history, &at.to_string());
            });
        }
    });
    assert_eq!(
        History::open(&path)
            .expect("a history")
            .newest(9)
            .expect("readable")
            .len(),
        4
    );
}
