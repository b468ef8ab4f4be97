//! What runs, and where: users, the web page, several processes, tags.

use crate::flags::Env::{Named, No};
use crate::flags::Flag;
use crate::flags::Kind::{Count, Int, PositiveFloat, Rate, Switch, Text, TimeSpan, Words};
use crate::flags::Support::{Gone, Hidden, NotYet};

pub(super) const COMMON: &[Flag<'static>] = &[
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

pub(super) const WEB: &[Flag<'static>] = &[
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

pub(super) const MASTER: &[Flag<'static>] = &[
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

pub(super) const WORKER: &[Flag<'static>] = &[
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

pub(super) const TAGS: &[Flag<'static>] = &[
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
