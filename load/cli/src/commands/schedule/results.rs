//! The folders of a run: one for each time that it was made, called after its begin.

use std::fs::{self, File, TryLockError};
use std::path::{Path, PathBuf};

use jiff::ZonedDateTime;

use crate::exit::Exit;

/// How they are called: the guide's `date +%Y%m%d_%H%M%S`.
const STAMP: &str = "%Y%m%d_%H%M%S";

/// Where they are.
#[derive(Debug)]
pub(super) struct Results {
    folder: PathBuf,
    /// Keeps other schedules out.
    _lock: File,
}

impl Results {
    /// # Errors
    ///
    /// [`Exit::Failed`] if the folder cannot be made or locked, or another schedule has it.
    pub(super) fn open(folder: &Path) -> Result<Self, Exit> {
        let failed = |error: &dyn std::fmt::Display| {
            Exit::Failed(format!("cannot use {}: {error}", folder.display()))
        };
        fs::create_dir_all(folder).map_err(|error| failed(&error))?;
        let file = File::create(folder.join(".acrida-schedule")).map_err(|error| failed(&error))?;
        match file.try_lock() {
            Ok(()) => Ok(Self {
                folder: folder.to_owned(),
                _lock: file,
            }),
            Err(TryLockError::WouldBlock) => Err(failed(&"another schedule does")),
            Err(TryLockError::Error(error)) => Err(failed(&error)),
        }
    }

    /// Where the results of a time are.
    pub(super) fn of(&self, stamp: &str) -> PathBuf {
        self.folder.join(stamp)
    }

    /// The last time's stamp.
    pub(super) fn newest(&self) -> Result<Option<String>, Exit> {
        Ok(self.stamps()?.pop())
    }

    /// Removes all but the newest `keep` folders; what is called otherwise is not ours.
    pub(super) fn forget_old(&self, keep: usize) -> Result<(), Exit> {
        let mut stamps = self.stamps()?;
        stamps.truncate(stamps.len().saturating_sub(keep));
        for folder in stamps.iter().map(|stamp| self.of(stamp)) {
            if let Err(error) = fs::remove_dir_all(&folder) {
                eprintln!("Cannot remove {}: {error}", folder.display());
            }
        }
        Ok(())
    }

    /// From the oldest to the newest.
    fn stamps(&self) -> Result<Vec<String>, Exit> {
        let unreadable =
            |error| Exit::Failed(format!("cannot read {}: {error}", self.folder.display()));
        let entries = fs::read_dir(&self.folder).map_err(unreadable)?;
        let names = entries.filter_map(|entry| entry.ok()?.file_name().into_string().ok());
        let mut stamps: Vec<_> = names.filter(|name| is_stamp(name)).collect();
        stamps.sort_unstable();
        Ok(stamps)
    }
}

/// How a time is called; later ones sort behind earlier ones.
pub(super) fn stamp(time: &ZonedDateTime) -> String {
    time.strftime(STAMP).to_string()
}

/// Whether this is the name of such a folder.
pub(super) fn is_stamp(name: &str) -> bool {
    let digits =
        |part: &str, count| part.len() == count && part.bytes().all(|byte| byte.is_ascii_digit());
    name.split_once('_')
        .is_some_and(|(day, time)| digits(day, 8) && digits(time, 6))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_newest_results_stay_and_nothing_else_is_touched() {
        let folder = tempfile::tempdir().expect("a folder");
        let results = Results::open(folder.path()).expect("nobody else's");
        assert_eq!(results.newest(), Ok(None));
        let names = [
            "20261124_020000",
            "20261123_020000",
            "notes",
            "2026_02",
            "20261125_020000",
        ];
        for name in names {
            fs::create_dir(folder.path().join(name)).expect("a folder");
        }
        let there = || names.map(|name| folder.path().join(name).exists());
        results.forget_old(9).expect("readable");
        assert_eq!(there(), [true; 5]);
        results.forget_old(2).expect("readable");
        assert_eq!(there(), [true, false, true, true, true]);
        assert_eq!(results.newest(), Ok(Some("20261125_020000".to_owned())));
    }

    #[test]
    fn a_stamp_is_the_guides() {
        let time = "2026-11-25T02:00:07[UTC]".parse().expect("a time");
        assert_eq!(stamp(&time), "20261125_020007");
        assert!(is_stamp(&stamp(&time)));
    }
}
