//! A history in a real PostgreSQL, where `CLASSIFIER_TEST_DATABASE` tells of one, as it does
//! under `scripts/with_postgres.sh`.

use std::net::TcpListener;
use std::path::Path;

use acrida_history::{History, HistoryError, Kept, NewRun, Place, RUNS_MAX, keep};
use acrida_report::summary::RunSummary;
use acrida_report::windows::{EntryWindows, Window};
use tempfile::TempDir;

/// A database that only one test uses, and the folder where runs wait for it.
struct Database {
    name: String,
    folder: TempDir,
}

impl Database {
    /// None where there is no server.
    fn new(name: &str) -> Option<Self> {
        let server = std::env::var("CLASSIFIER_TEST_DATABASE").ok()?;
        let name = format!("acrida_{name}_{}", std::process::id());
        execute(&server, &format!("CREATE DATABASE {name}"));
        let folder = tempfile::tempdir().expect("a folder");
        Some(Self { name, folder })
    }

    fn url(&self) -> String {
        let server = std::env::var("CLASSIFIER_TEST_DATABASE").expect("a server");
        server.replace("/postgres?", &format!("/{}?", self.name))
    }

    fn place(&self) -> Place {
        place(&self.url(), self.folder.path())
    }

    /// Whether it takes connections; without, it is as good as away.
    fn set_open(&self, open: bool) {
        let server = std::env::var("CLASSIFIER_TEST_DATABASE").expect("a server");
        let sql = format!("ALTER DATABASE {} ALLOW_CONNECTIONS {open}", self.name);
        execute(&server, &sql);
    }
}

impl Drop for Database {
    fn drop(&mut self) {
        let server = std::env::var("CLASSIFIER_TEST_DATABASE").expect("a server");
        execute(
            &server,
            &format!("DROP DATABASE {} WITH (FORCE)", self.name),
        );
    }
}

fn place(url: &str, folder: &Path) -> Place {
    Place::parse(url)
        .expect("an address")
        .with_waiting_in(folder)
}

fn execute(url: &str, sql: &str) {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .expect("a runtime");
    runtime.block_on(async {
        let (client, connection) = tokio_postgres::connect(url, tokio_postgres::NoTls)
            .await
            .expect("a server");
        tokio::spawn(connection);
        client.batch_execute(sql).await.expect(sql);
    });
}

fn windows() -> Vec<EntryWindows> {
    let window = |requests| Window {
        seconds: 1,
        users: 3,
        requests,
        failures: 1,
        times: vec![(1_000, requests - 1), (25_000, 1)],
    };
    ["/B", "/a", "/ä"]
        .map(|name| EntryWindows {
            method: "GET".to_owned(),
            name: name.to_owned(),
            windows: (2..14).map(window).collect(),
        })
        .to_vec()
}

/// Keeps a run that began at `start_s`.
fn keep_at(place: &Place, start_s: f64) -> Result<Kept, HistoryError> {
    let summary = RunSummary {
        title: format!("began at {start_s}"),
        start_s: Some(start_s),
        ..RunSummary::default()
    };
    let windows = windows();
    keep(
        place,
        &NewRun {
            summary: &summary,
            windows: &windows,
            version: "0.1.0",
            machine: "vm",
            settings: "{}",
            exit_code: 3,
        },
    )
}

fn numbered(kept: Result<Kept, HistoryError>) -> i64 {
    match kept.expect("kept") {
        Kept::Numbered {
            id,
            complaint: None,
        } => id,
        other => panic!("{other:?}"),
    }
}

fn starts(place: &Place) -> Vec<f64> {
    let history = History::open(place).expect("a history");
    assert!(history.complaint().is_none());
    let runs = history.newest(RUNS_MAX).expect("readable");
    runs.iter().filter_map(|run| run.summary.start_s).collect()
}

#[test]
fn a_run_is_read_as_it_was_kept() {
    let Some(database) = Database::new("kept") else {
        return;
    };
    let place = database.place();
    let first = numbered(keep_at(&place, 1.5));
    let second = numbered(keep_at(&place, 2.5));
    assert!(second > first);
    let history = History::open(&place).expect("a history");
    let run = history.run(first).expect("readable").expect("kept");
    assert_eq!(
        (run.summary.start_s, run.exit_code, &*run.machine),
        (Some(1.5), 3, "vm")
    );
    assert_eq!(history.windows(first).expect("readable"), windows());
    assert_eq!(history.run(99).expect("readable"), None);
    assert_eq!(history.windows(99).expect("readable"), []);
    assert_eq!(
        numbered(keep_at(&place, 1.5)),
        first,
        "sent again, kept once"
    );
    assert_eq!(starts(&place), [2.5, 1.5]);
}

#[test]
fn runs_wait_while_the_server_is_away_and_go_there_once() {
    let Some(database) = Database::new("waits") else {
        return;
    };
    let place = database.place();
    numbered(keep_at(&place, 0.5));
    database.set_open(false);
    for start_s in [1.0, 2.0] {
        match keep_at(&place, start_s).expect("kept here") {
            Kept::Waits { file, why } => {
                assert!(file.starts_with(database.folder.path()));
                assert!(
                    why.to_string().starts_with("cannot use postgres://"),
                    "{why}"
                );
            }
            other => panic!("{other:?}"),
        }
    }
    let error = History::open(&place).expect_err("away").to_string();
    assert!(
        error.contains("not currently accepting connections"),
        "{error}"
    );
    database.set_open(true);
    assert_eq!(starts(&place), [2.0, 1.0, 0.5]);
    numbered(keep_at(&place, 3.0));
    assert_eq!(starts(&place), [3.0, 2.0, 1.0, 0.5], "none is there twice");
}

#[test]
fn a_thousand_runs_stay() {
    let Some(database) = Database::new("bound") else {
        return;
    };
    let place = database.place();
    let first = numbered(keep_at(&place, 1.0));
    execute(
        &database.url(),
        "INSERT INTO acrida_run (started_s, version, machine, settings, exit_code, summary) \
         SELECT n, '', '', '', 0, (SELECT summary FROM acrida_run) FROM generate_series(1, 999) n",
    );
    numbered(keep_at(&place, 2.0));
    let history = History::open(&place).expect("a history");
    assert_eq!(
        history.newest(RUNS_MAX * 2).expect("readable").len(),
        RUNS_MAX
    );
    assert_eq!(history.run(first).expect("readable"), None);
    assert_eq!(history.windows(first).expect("readable"), []);
}

#[test]
fn programs_may_begin_a_history_together() {
    let Some(database) = Database::new("together") else {
        return;
    };
    let place = database.place();
    std::thread::scope(|scope| {
        for at in 1..=4 {
            let place = &place;
            scope.spawn(move || numbered(keep_at(place, at.into())));
        }
    });
    assert_eq!(starts(&place).len(), 4);
}

#[test]
fn what_a_newer_acrida_made_is_left_alone() {
    let Some(database) = Database::new("newer") else {
        return;
    };
    let place = database.place();
    numbered(keep_at(&place, 1.0));
    execute(
        &database.url(),
        "INSERT INTO acrida_schema_history SELECT 99, 'later', applied_on, checksum FROM acrida_schema_history",
    );
    let error = History::open(&place).expect_err("newer").to_string();
    assert!(
        error.contains("newer acrida (format 99, this one knows 1)"),
        "{error}"
    );
    assert!(matches!(keep_at(&place, 2.0), Ok(Kept::Waits { .. })));
}

#[test]
fn a_server_that_never_answers_is_given_up_and_the_password_stays_unsaid() {
    let folder = tempfile::tempdir().expect("a folder");
    // It takes connections, and says nothing.
    let silent = TcpListener::bind("127.0.0.1:0").expect("a port");
    let port = silent.local_addr().expect("an address").port();
    let place = place(
        &format!("postgres://me:secret@127.0.0.1:{port}/load"),
        folder.path(),
    );
    let Kept::Waits { file, why } = keep_at(&place, 1.0).expect("kept here") else {
        panic!("nobody is there");
    };
    let expected = format!("cannot use postgres://me@127.0.0.1:{port}/load: it does not answer");
    assert_eq!(why.to_string(), expected);
    // Where it cannot wait either, both are said.
    std::fs::write(
        &file,
        "a letter to somebody, which is no database".repeat(20),
    )
    .expect("a file");
    let lost = keep_at(&place, 2.0).expect_err("lost").to_string();
    assert!(
        lost.starts_with(&expected) && lost.contains("nor can it wait here"),
        "{lost}"
    );
}
