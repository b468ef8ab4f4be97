//! What is told of a run: statistics, verdicts, the log.

use super::LOG_LEVELS;
use crate::flags::Env::{Named, No};
use crate::flags::Flag;
use crate::flags::Kind::{
    Append, Choice, Expectation, History, Int, PositiveFloat, Switch, Text, TimeSpan,
};

pub(super) const STATISTICS: &[Flag<'static>] = &[
    Flag::new(
        "csv",
        "csv_prefix",
        Text,
        "Write the statistics to PREFIX_stats.csv, PREFIX_stats_history.csv, PREFIX_failures.csv and \
         PREFIX_exceptions.csv; folders are created.",
    )
    .metavar("prefix"),
    Flag::new(
        "csv-full-history",
        "stats_history_enabled",
        Switch,
        "Write every name to PREFIX_stats_history.csv, not only the totals. Needs --csv.",
    ),
    Flag::new(
        "csv-requests",
        "csv_requests",
        Switch,
        "Write one line for each request to PREFIX_requests.csv. Needs --csv.",
    ),
    Flag::new(
        "server-time-field",
        "server_time_field",
        Text,
        "The field of JSON answers in which the server says how many milliseconds it worked, such as inference_time_ms, \
         for answers without a Server-Timing header.",
    )
    .metavar("name"),
    Flag::new("print-stats", "print_stats", Switch, "Print the statistics also in runs with a web page."),
    Flag::new("only-summary", "only_summary", Switch, "Print the statistics only at the end."),
    Flag::new("reset-stats", "reset_stats", Switch, "Begin the statistics anew when all users have started."),
    Flag::new(
        "html",
        "html_file",
        Text,
        "Write a report with charts to this file, which needs nothing else; {u}, {r} and {t} in its name become users, \
         spawn rate and run time.",
    )
    .metavar("filename"),
    Flag::new("json", "json", Switch, "Print the statistics as JSON to stdout at the end.").env(No),
    Flag::new("json-file", "json_file", Text, "Write the statistics as JSON to this file, with .json behind its name.")
        .env(No)
        .metavar("filename"),
];

pub(super) const VERDICTS: &[Flag<'static>] = &[
    Flag::new(
        "expect",
        "expect",
        Expectation,
        "What the run has to be like, such as 'p95 < 500ms', 'fail_ratio < 1%', 'rps > 20' or 'POST /predict: p99 < 1s'; \
         may be repeated. If it is not, the exit code is 3.",
    )
    .metavar("expectation"),
    Flag::new(
        "abort-on",
        "abort_on",
        Expectation,
        "End the run, with exit code 3, as soon as ten seconds of it are like this: 'fail_ratio > 50%'; may be repeated.",
    )
    .metavar("condition"),
    Flag::new(
        "baseline",
        "baseline",
        Text,
        "Compare the run with this one of the history: its number, 'last' (the newest run of this test: locustfile, host, \
         users, rate, tags), or 'last-if-any', which the first run of a series does without. The exit code is 3 if it is certainly worse by more than --baseline-tolerance.",
    )
    .metavar("run"),
    Flag::new(
        "baseline-tolerance",
        "baseline_tolerance",
        PositiveFloat,
        "What the run may be worse by, in percent.",
    )
    .default("5")
    .metavar("percent"),
    Flag::new(
        "history",
        "history_file",
        History,
        "Keep the run in this file instead of ~/.local/share/acrida/history.db, or in PostgreSQL: \
         postgres://user@host/database, with a password in PGPASSWORD.",
    )
    .env(Named("ACRIDA_HISTORY"))
    .metavar("place"),
    Flag::new(
        "watch",
        "watch",
        Append,
        "Whose CPU, memory and restarts to follow instead of what listens where the load goes to: port:8000, pid:123, \
         docker:NAME (a container or a service of Compose), cgroup:FOLDER, the URL of a page in Prometheus' format, or none; \
         may be repeated.",
    )
    .metavar("what"),
    Flag::new("no-history", "no_history", Switch, "Do not keep the run in the history."),
];

pub(super) const LOGGING: &[Flag<'static>] = &[
    Flag::new(
        "skip-log-setup",
        "skip_log_setup",
        Switch,
        "Disable Locust's logging setup. Logging is left to the locustfile; statistics are not printed.",
    ),
    Flag::new(
        "loglevel",
        "loglevel",
        Choice {
            options: LOG_LEVELS,
            ignore_case: true,
        },
        "How much to log: DEBUG, INFO, WARNING, ERROR or CRITICAL.",
    )
    .short('L')
    .default("INFO")
    .metavar("level"),
    Flag::new(
        "logfile",
        "logfile",
        Text,
        "Log to this file instead of stderr.",
    )
    .metavar("filename"),
];

pub(super) const OTHER: &[Flag<'static>] = &[
    Flag::new(
        "show-task-ratio",
        "show_task_ratio",
        Switch,
        "Print how often each task runs, and exit.",
    )
    .env(No),
    Flag::new(
        "show-task-ratio-json",
        "show_task_ratio_json",
        Switch,
        "Print how often each task runs as JSON, and exit.",
    )
    .env(No),
    Flag::new("version", "version", Switch, "Show the version and exit.")
        .short('V')
        .env(No),
    Flag::new(
        "exit-code-on-error",
        "exit_code_on_error",
        Int,
        "The exit code of a run with failed requests or exceptions.",
    )
    .default("1")
    .metavar("int"),
    Flag::new(
        "stop-timeout",
        "stop_timeout",
        TimeSpan,
        "How long users may finish their task at the end. By default they end at once.",
    )
    .short('s')
    .default("0")
    .metavar("time"),
    Flag::new(
        "equal-weights",
        "equal_weights",
        Switch,
        "Run every task equally often, whatever weights the locustfile gives.",
    )
    .env(No),
    Flag::new(
        "profile",
        "profile",
        Text,
        "A name that groups tests: environment.profile, and in the page and the report.",
    )
    .env(No)
    .metavar("name"),
    Flag::new(
        "otel",
        "otel",
        Switch,
        "Export traces, metrics and logs with OpenTelemetry, as its OTEL_ variables say.",
    )
    .env(Named("LOCUST_ENABLE_OPENTELEMETRY")),
];
