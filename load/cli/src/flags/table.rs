//! The table. Spellings, attribute names, environment variables and defaults are
//! Locust 2.47's; `--csv-requests` and the verdict options are ours.

use super::Env::{Named, No};
use super::Kind::{
    Append, Choice, Count, Expectation, Int, PositiveFloat, Rate, Switch, Text, TimeSpan, Words,
};
use super::Support::{Gone, Hidden, NotYet};
use super::{Flag, Group};

/// The levels of `--loglevel`.
pub const LOG_LEVELS: &[&str] = &["DEBUG", "INFO", "WARNING", "ERROR", "CRITICAL"];

/// Every flag, by heading.
pub const GROUPS: &[Group<'static>] = &[
    Group {
        title: "Common options",
        flags: COMMON,
    },
    Group {
        title: "Web UI options",
        flags: WEB,
    },
    Group {
        title: "Master options",
        flags: MASTER,
    },
    Group {
        title: "Worker options",
        flags: WORKER,
    },
    Group {
        title: "Tag options",
        flags: TAGS,
    },
    Group {
        title: "Request statistics options",
        flags: STATISTICS,
    },
    Group {
        title: "Verdict options",
        flags: VERDICTS,
    },
    Group {
        title: "Logging options",
        flags: LOGGING,
    },
    Group {
        title: "Other options",
        flags: OTHER,
    },
];

const COMMON: &[Flag<'static>] = &[
    Flag::new("help", "help", Switch, "Show this text and exit.").short('h').env(No),
    Flag::new(
        "locustfile",
        "locustfile",
        Text,
        "The Python file with the users of the test, several separated by commas, a folder of them, or the URL of one.",
    )
    .short('f')
    .default("locustfile.py")
    .metavar("filename"),
    Flag::new("config", "config", Text, "A file with more settings: one 'flag = value' a line.")
        .env(No)
        .metavar("filename"),
    Flag::new("host", "host", Text, "Base of the URLs to load, such as http://127.0.0.1:8000.")
        .short('H')
        .metavar("base url"),
    Flag::new("users", "num_users", Count, "How many users run at the same time at the peak.")
        .short('u')
        .metavar("int"),
    Flag::new("spawn-rate", "spawn_rate", PositiveFloat, "How many users start per second.")
        .short('r')
        .metavar("float"),
    Flag::new(
        "run-time",
        "run_time",
        TimeSpan,
        "Stop after this time, such as 300s, 20m, 3h or 1h30m. Without it a test runs until it is stopped.",
    )
    .short('t')
    .metavar("time"),
    Flag::new(
        "rate",
        "arrival_rate",
        Rate,
        "Have iterations of tasks arrive at this rate per second, whatever the earlier ones do: 200, or 10..200 for a \
         rate that changes over the run time. --users take them; their wait_time is not looked at.",
    )
    .metavar("rate")
    .instead("acrida-rate"),
    Flag::new(
        "poisson",
        "arrivals_at_random",
        Switch,
        "Let the iterations of --rate arrive at random, as a Poisson process, instead of evenly.",
    )
    .instead("acrida-poisson"),
    Flag::new("list", "list_commands", Switch, "List the user classes of the locustfile and exit.")
        .short('l')
        .env(No),
    Flag::new(
        "config-users",
        "config_users",
        Words,
        "Attributes of user classes, each as JSON or in a .json file: an object, or a list of them, with \
         user_class_name and the attributes to set, such as host, weight, fixed_count and tasks.",
    )
    .metavar("json"),
];

const WEB: &[Flag<'static>] = &[
    Flag::new(
        "web-host",
        "web_host",
        Text,
        "Serve the web page on this address instead of 127.0.0.1; '*' means every interface.",
    )
    .default("")
    .metavar("address"),
    Flag::new(
        "web-host-display-name",
        "web_host_display_name",
        Text,
        "A name under which the web page is reached, such as that of a proxy.",
    )
    .metavar("name"),
    Flag::new(
        "web-port",
        "web_port",
        Int,
        "Serve the web page on this port.",
    )
    .short('P')
    .default("8089")
    .metavar("port"),
    Flag::new(
        "headless",
        "headless",
        Switch,
        "Start the test at once, without the web page.",
    ),
    Flag::new(
        "autostart",
        "autostart",
        Switch,
        "Start the test at once, with the web page.",
    ),
    Flag::new(
        "autoquit",
        "autoquit",
        Int,
        "Quit this many seconds after the test has ended. Needs --autostart.",
    )
    .default("-1")
    .metavar("seconds"),
    Flag::new("headful", "headful", Switch, "").support(Hidden),
    Flag::new("web-auth", "web_auth", Text, "")
        .support(Gone("--web-auth was replaced by --web-login")),
    Flag::new(
        "web-login",
        "web_login",
        Switch,
        "Ask for a password: that in ACRIDA_WEB_PASSWORD, or one that is logged at the start.",
    ),
    Flag::new(
        "tls-cert",
        "tls_cert",
        Text,
        "Serve the web page by https with this certificate (PEM).",
    )
    .default("")
    .metavar("filename"),
    Flag::new("tls-key", "tls_key", Text, "The key of --tls-cert (PEM).")
        .default("")
        .metavar("filename"),
    Flag::new(
        "class-picker",
        "class_picker",
        Switch,
        "Let the web page choose which user classes run.",
    )
    .env(Named("LOCUST_USERCLASS_PICKER")),
    Flag::new("build-path", "build_path", Text, "")
        .default("")
        .support(NotYet),
    Flag::new("legacy-ui", "legacy_ui", Switch, "")
        .support(Gone("--legacy-ui does not exist any more")),
    Flag::new(
        "web-base-path",
        "web_base_path",
        Text,
        "Serve the web page below this path, such as /load.",
    )
    .default("")
    .metavar("path"),
];

const MASTER: &[Flag<'static>] = &[
    Flag::new("master", "master", Switch, "")
        .env(Named("LOCUST_MODE_MASTER"))
        .support(NotYet),
    Flag::new("master-bind-host", "master_bind_host", Text, "")
        .default("*")
        .support(Hidden),
    Flag::new("master-bind-port", "master_bind_port", Int, "")
        .default("5557")
        .support(Hidden),
    Flag::new("expect-workers", "expect_workers", Count, "")
        .default("1")
        .support(Hidden),
    Flag::new(
        "expect-workers-max-wait",
        "expect_workers_max_wait",
        Int,
        "",
    )
    .default("0")
    .support(Hidden),
    Flag::new("enable-rebalancing", "enable_rebalancing", Switch, "")
        .env(No)
        .support(Hidden),
    Flag::new("expect-slaves", "expect_slaves", Switch, "")
        .env(No)
        .support(Gone("--expect-slaves was renamed to --expect-workers")),
];

const WORKER: &[Flag<'static>] = &[
    Flag::new("worker", "worker", Switch, "")
        .env(Named("LOCUST_MODE_WORKER"))
        .support(NotYet),
    Flag::new(
        "processes",
        "processes",
        Int,
        "Starts no further processes: users share this one, whose connections have threads of their own.",
    ),
    Flag::new("slave", "slave", Switch, "")
        .env(No)
        .support(Gone("--slave was renamed to --worker")),
    Flag::new("master-host", "master_host", Text, "")
        .env(Named("LOCUST_MASTER_NODE_HOST"))
        .default("127.0.0.1")
        .support(Hidden),
    Flag::new("master-port", "master_port", Int, "")
        .env(Named("LOCUST_MASTER_NODE_PORT"))
        .default("5557")
        .support(Hidden),
];

const TAGS: &[Flag<'static>] = &[
    Flag::new(
        "tags",
        "tags",
        Words,
        "Run only tasks that have at least one of these tags.",
    )
    .short('T')
    .metavar("tag"),
    Flag::new(
        "exclude-tags",
        "exclude_tags",
        Words,
        "Leave out tasks that have one of these tags.",
    )
    .short('E')
    .metavar("tag"),
];

const STATISTICS: &[Flag<'static>] = &[
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

const VERDICTS: &[Flag<'static>] = &[
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
        "Compare the run with this one of the history (its number, 'last', or 'last-if-any', which the first run of a \
         series does without); the exit code is 3 if it is certainly worse by more than --baseline-tolerance.",
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
        Text,
        "Keep the run in this file instead of ~/.local/share/acrida/history.db.",
    )
    .env(Named("ACRIDA_HISTORY"))
    .metavar("filename"),
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

const LOGGING: &[Flag<'static>] = &[
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

const OTHER: &[Flag<'static>] = &[
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
