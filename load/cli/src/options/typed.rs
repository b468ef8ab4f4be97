//! Settings under their own types.

use std::time::Duration;

use acrida_engine::SpawnRate;

use super::{Options, reports, web};
use crate::flags::{USER_CLASSES, Value};

/// The same settings under their own types.
///
/// # Panics
///
/// If the table gives a flag another type than is read here.
pub(super) fn typed(all: Vec<(String, Value)>) -> Options {
    let values = Values(&all);
    let seconds = |dest| values.count(dest).map(Duration::from_secs);
    Options {
        locustfile: values.text("locustfile").unwrap_or_default(),
        host: values.text("host"),
        users: values.count("num_users"),
        spawn_rate: values.spawn_rate("spawn_rate"),
        // Locust takes a run time of zero as none.
        run_time: seconds("run_time").filter(|limit| !limit.is_zero()),
        rate: values
            .text("arrival_rate")
            .and_then(|text| text.parse().ok()),
        poisson: values.switch("arrivals_at_random"),
        server_time_field: values
            .text("server_time_field")
            .filter(|name| !name.is_empty()),
        list: values.switch("list_commands"),
        headless: values.switch("headless") && !values.switch("headful"),
        web: web::read(&values),
        csv_prefix: values.text("csv_prefix"),
        csv_full_history: values.switch("stats_history_enabled"),
        csv_requests: values.switch("csv_requests"),
        reports: reports::read(&values),
        stepped: None,
        checks: false,
        only_summary: values.switch("only_summary"),
        reset_stats: values.switch("reset_stats"),
        skip_log_setup: values.switch("skip_log_setup"),
        loglevel: values.text("loglevel").unwrap_or_default(),
        logfile: values.text("logfile"),
        show_task_ratio: values.switch("show_task_ratio"),
        show_task_ratio_json: values.switch("show_task_ratio_json"),
        exit_code_on_error: values.exit_code("exit_code_on_error"),
        stop_timeout: seconds("stop_timeout").unwrap_or_default(),
        equal_weights: values.switch("equal_weights"),
        tags: values.list("tags"),
        exclude_tags: values.list("exclude_tags"),
        user_classes: values.list(USER_CLASSES).unwrap_or_default(),
        all,
    }
}

/// Looks values up by attribute; what is not of the type asked for is a broken table.
pub(super) struct Values<'a>(pub(super) &'a [(String, Value)]);

impl Values<'_> {
    pub(super) fn get(&self, dest: &str) -> &Value {
        let found = self.0.iter().find(|(name, _)| name == dest);
        &found
            .unwrap_or_else(|| panic!("the table of flags has {dest}"))
            .1
    }

    pub(super) fn text(&self, dest: &str) -> Option<String> {
        match self.get(dest) {
            Value::None => None,
            Value::Text(text) => Some(text.clone()),
            other => panic!("{dest} is a text, not {other:?}"),
        }
    }

    pub(super) fn switch(&self, dest: &str) -> bool {
        *self.get(dest) == Value::Bool(true)
    }

    fn count(&self, dest: &str) -> Option<u64> {
        match self.get(dest) {
            Value::None => None,
            Value::Int(number) => u64::try_from(*number).ok(),
            other => panic!("{dest} is a whole number, not {other:?}"),
        }
    }

    fn exit_code(&self, dest: &str) -> i32 {
        match self.get(dest) {
            Value::Int(number) => i32::try_from(*number).unwrap_or(crate::exit::FAILURE),
            other => panic!("{dest} is a whole number, not {other:?}"),
        }
    }

    fn spawn_rate(&self, dest: &str) -> Option<SpawnRate> {
        match self.get(dest) {
            Value::None => None,
            Value::Float(number) => SpawnRate::try_from(*number).ok(),
            other => panic!("{dest} is a number, not {other:?}"),
        }
    }

    pub(super) fn list(&self, dest: &str) -> Option<Vec<String>> {
        match self.get(dest) {
            Value::None => None,
            Value::List(list) => Some(list.clone()),
            other => panic!("{dest} is a list, not {other:?}"),
        }
    }
}
