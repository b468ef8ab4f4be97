//! The table. It stands in ARCHITECTURE.md too, with the reasons.

/// What one package may use.
#[derive(Debug, Clone, Copy)]
pub struct Rule {
    /// Its name.
    pub package: &'static str,
    /// Packages of the workspace.
    pub may_use: &'static [&'static str],
    /// Packages from elsewhere, by what they are for, which may not even come
    /// in through others.
    pub must_not_know: &'static [&'static [&'static str]],
    /// The folder of sources that take time, bytes and randomness as arguments.
    pub pure_sources: Option<&'static str>,
}

/// What sources that are pure do not say: they would read a clock, a file, a
/// socket or the environment.
pub const PURE_WORDS: &[&str] = &[
    "std::fs",
    "std::net",
    "std::env",
    "std::process",
    "Instant::now",
    "SystemTime::now",
    "Timestamp::now",
    "Zoned::now",
    "thread::sleep",
    "thread::spawn",
    "File::open",
    "File::create",
];

const PYTHON: &[&str] = &["pyo3", "pyo3-ffi"];
const SOCKETS: &[&str] = &[
    "tokio", "mio", "async-io", "polling", "smol", "socket2", "rustls", "hyper", "reqwest", "ureq",
    "axum",
];
const HTTP_SERVERS: &[&str] = &["axum", "hyper"];
const ASYNC: &[&str] = &[
    "futures-core",
    "futures-executor",
    "futures-util",
    "async-trait",
];
const CSV: &[&str] = &["csv"];
const DATABASES: &[&str] = &[
    "rusqlite",
    "libsqlite3-sys",
    "sqlx",
    "sqlx-core",
    "postgres",
    "tokio-postgres",
    "diesel",
];
const IMAGES: &[&str] = &["png", "zune-jpeg", "image"];

/// Every package of the workspace.
pub const RULES: &[Rule] = &[
    Rule {
        package: "acrida-stats",
        may_use: &[],
        must_not_know: &[PYTHON, SOCKETS, ASYNC, CSV, DATABASES],
        pure_sources: Some("load/stats/src"),
    },
    Rule {
        package: "acrida-engine",
        may_use: &["acrida-stats"],
        must_not_know: &[PYTHON, SOCKETS, ASYNC, CSV, DATABASES],
        pure_sources: Some("load/engine/src/plan"),
    },
    Rule {
        package: "acrida-http",
        may_use: &["acrida-stats"],
        must_not_know: &[PYTHON, CSV, DATABASES],
        pure_sources: None,
    },
    Rule {
        package: "acrida-report",
        may_use: &["acrida-stats"],
        must_not_know: &[PYTHON, SOCKETS, ASYNC, DATABASES],
        pure_sources: Some("load/report/src"),
    },
    Rule {
        package: "acrida-history",
        may_use: &["acrida-report"],
        must_not_know: &[PYTHON, HTTP_SERVERS, IMAGES],
        pure_sources: None,
    },
    Rule {
        package: "acrida-web",
        may_use: &["acrida-stats", "acrida-engine", "acrida-report"],
        must_not_know: &[PYTHON, DATABASES, IMAGES],
        pure_sources: None,
    },
    Rule {
        package: "acrida-cli",
        may_use: &[
            "acrida-stats",
            "acrida-engine",
            "acrida-http",
            "acrida-report",
            "acrida-history",
            "acrida-web",
        ],
        must_not_know: &[PYTHON, DATABASES],
        pure_sources: None,
    },
    Rule {
        package: "acrida-python",
        may_use: &[
            "acrida-cli",
            "acrida-engine",
            "acrida-http",
            "acrida-report",
            "acrida-stats",
        ],
        must_not_know: &[DATABASES, IMAGES],
        pure_sources: None,
    },
    Rule {
        package: "classifier-imaging",
        may_use: &[],
        must_not_know: &[PYTHON, SOCKETS, ASYNC, DATABASES],
        pure_sources: Some("classifier/imaging/src"),
    },
    Rule {
        package: "classifier-model",
        may_use: &["classifier-imaging"],
        must_not_know: &[PYTHON, SOCKETS, ASYNC, DATABASES],
        pure_sources: None,
    },
    Rule {
        package: "classifier-store",
        may_use: &["classifier-imaging"],
        must_not_know: &[PYTHON, HTTP_SERVERS],
        pure_sources: None,
    },
    Rule {
        package: "classifier-service",
        may_use: &["classifier-imaging", "classifier-model", "classifier-store"],
        must_not_know: &[PYTHON],
        pure_sources: None,
    },
    Rule {
        package: "bench-target",
        may_use: &[],
        must_not_know: &[PYTHON],
        pure_sources: None,
    },
    Rule {
        package: "bench-classifier",
        may_use: &["classifier-imaging", "classifier-model"],
        must_not_know: &[PYTHON, SOCKETS, ASYNC, DATABASES],
        pure_sources: None,
    },
    Rule {
        package: "architecture-rules",
        may_use: &[],
        must_not_know: &[PYTHON, SOCKETS],
        pure_sources: None,
    },
];
