//! The table. Spellings, attribute names, environment variables and defaults are
//! Locust 2.47's; `--csv-requests` and the verdict options are ours.

mod running;
mod telling;

use super::Group;
use running::{COMMON, MASTER, TAGS, WEB, WORKER};
use telling::{LOGGING, OTHER, STATISTICS, VERDICTS};

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
