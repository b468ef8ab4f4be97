//! A CSV path that cannot be written is said before anything starts.

use std::sync::Arc;
use std::time::Duration;

use acrida_cli::exit::Exit;
use acrida_cli::run::{Collector, Host, RequestLog, Run, RunSetup};
use acrida_engine::Action;
use acrida_stats::Limits;

struct Idle;

impl Host for Idle {
    fn act(&self, actions: Vec<Action>) {
        panic!("nothing is to be done, and {actions:?} are");
    }

    fn abandon(&self) -> u64 {
        0
    }
}

#[test]
fn a_csv_path_that_cannot_be_written_is_named_before_the_run() {
    let folder = tempfile::tempdir().expect("a folder");
    std::fs::write(folder.path().join("file"), "").expect("a file");
    let prefix = folder.path().join("file/x").display().to_string();
    let setup = RunSetup {
        options: crate::support::options(folder.path(), &["--headless", "--csv", &prefix]),
        classes: Vec::new(),
        collector: Arc::new(Collector::new(Vec::new(), Limits::default())),
        request_log: None,
        starts_by_itself: true,
        intervals: Default::default(),
        percentiles: vec![0.5],
        request_grace: Duration::ZERO,
        page: Default::default(),
    };
    let host: Arc<dyn Host> = Arc::new(Idle);
    let exit = Run::start(setup, &host).expect_err("no such folder");
    assert_eq!(exit.code(), 1);
    for exit in [
        exit,
        RequestLog::create(&prefix).expect_err("no such folder"),
    ] {
        assert!(
            matches!(exit, Exit::Failed(text) if text.contains(&prefix) && text.contains("--csv"))
        );
    }
}
