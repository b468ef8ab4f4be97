//! Which process an unfinished file is of, where several machines may share the folder.

use std::path::Path;
use std::time::{Duration, SystemTime};

use jiff::Timestamp;

/// Files of other machines' processes are taken for leftovers after this long.
const ABANDONED_AFTER: Duration = Duration::from_secs(24 * 60 * 60);

/// This process: its machine's name, its number there, and when it began.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Owner {
    machine: String,
    process: u32,
    began_ns: i128,
}

impl Owner {
    pub(crate) fn this_process() -> Owner {
        let machine = rustix::system::uname();
        Owner {
            // A name's parts are divided by dashes.
            machine: machine
                .nodename()
                .to_string_lossy()
                .replace(['-', '/'], "_"),
            process: std::process::id(),
            began_ns: Timestamp::now().as_nanosecond(),
        }
    }

    /// Such as `node7-123-1763846778000000000`: different for every process that ever was.
    pub(crate) fn name(&self) -> String {
        format!("{}-{}-{}", self.machine, self.process, self.began_ns)
    }

    /// Whether the process that wrote the file `name` is gone, judged from this process's machine.
    /// `written` is when it last wrote.
    pub(crate) fn is_gone(&self, name: &str, written: Option<SystemTime>) -> bool {
        let parts: Vec<&str> = name.split('-').collect();
        let (machine, process) = match parts[..] {
            [machine, process, _, _] => (machine, process),
            // Version 0.1's names have no machine.
            [process, _] => (self.machine.as_str(), process),
            _ => return true, // Nobody's.
        };
        if machine != self.machine {
            let silent = written.and_then(|written| written.elapsed().ok());
            return silent.is_some_and(|silent| silent > ABANDONED_AFTER);
        }
        // A container's process has the same number at every start.
        let reborn = process == self.process.to_string() && !name.starts_with(&self.name());
        let alive = Path::new("/proc").join(process).exists();
        reborn || !alive
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_files_of_the_dead_are_leftovers() {
        let owner = Owner {
            machine: "here".to_owned(),
            process: std::process::id(),
            began_ns: 7,
        };
        let (now, long_ago) = (SystemTime::now(), SystemTime::UNIX_EPOCH);
        let own = owner.process;
        for (why, name, written, gone) in [
            ("its own", format!("here-{own}-7-1"), long_ago, false),
            (
                "the same number, earlier",
                format!("here-{own}-6-1"),
                now,
                true,
            ),
            ("one that lives", "here-1-3-0".to_owned(), long_ago, false),
            (
                "one that does not",
                "here-999999999-3-0".to_owned(),
                now,
                true,
            ),
            ("another machine's", "there-1-3-0".to_owned(), now, false),
            (
                "another machine's, long ago",
                "there-1-3-0".to_owned(),
                long_ago,
                true,
            ),
            ("nobody's", "999999999".to_owned(), now, true),
        ] {
            assert_eq!(owner.is_gone(&name, Some(written)), gone, "{why}");
        }
    }
}
