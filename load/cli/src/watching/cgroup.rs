//! Control groups, version 2: what containers and services of systemd may use, and do.

use std::fs;
use std::path::{Path, PathBuf};

use procfs::process::Process;

use super::clock::Elapsed;
use super::{Reading, Source, reading};

/// Where the file system of control groups is.
const ROOT: &str = "/sys/fs/cgroup";

/// What a group may use at most.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub(super) struct Limits {
    /// In percent of one core.
    pub(super) cpu: Option<f32>,
    /// In MB.
    pub(super) memory_mb: Option<f32>,
}

/// A group, by its folder.
#[derive(Debug)]
pub(super) struct Group {
    folder: PathBuf,
    /// Kills for lack of memory before the first look.
    kills_before: Option<u64>,
    cpu_us: Option<u64>,
    elapsed: Elapsed,
}

/// The group of a process; none in the root of all groups, which has no limits.
pub(super) fn of_process(pid: i32) -> Option<Group> {
    let groups = Process::new(pid)
        .and_then(|process| process.cgroups())
        .ok()?;
    let second = groups.0.into_iter().find(|group| group.hierarchy == 0)?;
    let path = second.pathname.trim_start_matches('/');
    (!path.is_empty()).then(|| Group::new(Path::new(ROOT).join(path)))
}

impl Group {
    pub(super) fn new(folder: PathBuf) -> Self {
        Self {
            folder,
            kills_before: None,
            cpu_us: None,
            elapsed: Elapsed::default(),
        }
    }

    /// The tightest limits of the group and of those that it is in.
    pub(super) fn limits(&self) -> Limits {
        let folders = self
            .folder
            .ancestors()
            .take_while(|folder| *folder != Path::new(ROOT));
        let tightest = |a: Option<f32>, b: Option<f32>| match (a, b) {
            (Some(a), Some(b)) => Some(a.min(b)),
            (a, b) => a.or(b),
        };
        folders.fold(Limits::default(), |limits, folder| Limits {
            cpu: tightest(
                limits.cpu,
                read(folder, "cpu.max").as_deref().and_then(quota),
            ),
            memory_mb: tightest(
                limits.memory_mb,
                read(folder, "memory.max").as_deref().and_then(megabytes),
            ),
        })
    }

    /// How often something in the group was killed for lack of memory since the first call.
    pub(super) fn oom_kills(&mut self) -> u32 {
        let kills = read(&self.folder, "memory.events");
        let Some(kills) = kills.as_deref().and_then(|text| field(text, "oom_kill")) else {
            return 0;
        };
        let before = *self.kills_before.get_or_insert(kills);
        u32::try_from(kills.saturating_sub(before)).unwrap_or(u32::MAX)
    }
}

impl Source for Group {
    fn look(&mut self) -> Vec<Reading> {
        let stat = read(&self.folder, "cpu.stat");
        let Some(cpu_us) = stat.as_deref().and_then(|text| field(text, "usage_usec")) else {
            return Vec::new();
        };
        let seconds = self.elapsed.since_last();
        let before = self.cpu_us.replace(cpu_us);
        let limits = self.limits();
        let mut reading = reading(&format!("group {}", self.folder.display()));
        reading.cpu_limit = limits.cpu.or_else(super::machine_limit);
        reading.memory_limit_mb = limits.memory_mb;
        reading.usage.cpu = seconds
            .zip(before)
            .map(|(seconds, before)| (cpu_us.saturating_sub(before) as f64 / 1e4 / seconds) as f32);
        reading.usage.memory_mb = read(&self.folder, "memory.current")
            .as_deref()
            .and_then(megabytes);
        reading.usage.oom_kills = self.oom_kills();
        vec![reading]
    }
}

fn read(folder: &Path, file: &str) -> Option<String> {
    fs::read_to_string(folder.join(file)).ok()
}

/// `200000 100000` is two cores; `max 100000` is no limit.
fn quota(text: &str) -> Option<f32> {
    let mut words = text.split_whitespace().map(str::parse::<f32>);
    let (quota, period) = (words.next()?.ok()?, words.next()?.ok()?);
    (period > 0.0).then(|| 100.0 * quota / period)
}

fn megabytes(text: &str) -> Option<f32> {
    let bytes: u64 = text.trim().parse().ok()?;
    Some(bytes as f32 / (1 << 20) as f32)
}

/// The number behind a word at the beginning of a line.
fn field(text: &str, name: &str) -> Option<u64> {
    let line = text
        .lines()
        .find_map(|line| line.strip_prefix(name)?.strip_prefix(' '));
    line?.trim().parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_group_tells_its_use_its_kills_and_the_tightest_limits() {
        let folder = tempfile::tempdir().expect("a folder");
        let inner = folder.path().join("inner");
        fs::create_dir(&inner).expect("a folder");
        let write = |folder: &Path, file: &str, text: &str| {
            fs::write(folder.join(file), text).expect("a file")
        };
        write(folder.path(), "cpu.max", "50000 100000\n");
        write(folder.path(), "memory.max", "1048576000\n");
        write(&inner, "cpu.max", "max 100000\n");
        write(&inner, "memory.max", "104857600\n");
        write(&inner, "memory.current", "52428800\n");
        write(&inner, "memory.events", "low 0\noom 3\noom_kill 2\n");
        write(&inner, "cpu.stat", "usage_usec 1000000\nuser_usec 1\n");
        let mut group = Group::new(inner.clone());
        let first = &group.look()[0];
        assert_eq!(
            (first.cpu_limit, first.memory_limit_mb),
            (Some(50.0), Some(100.0))
        );
        assert_eq!(
            (
                first.usage.cpu,
                first.usage.memory_mb,
                first.usage.oom_kills
            ),
            (None, Some(50.0), 0)
        );
        write(&inner, "cpu.stat", "usage_usec 1500000\n");
        write(&inner, "memory.events", "oom_kill 3\n");
        let second = &group.look()[0];
        assert!(second.usage.cpu > Some(0.0));
        assert_eq!(second.usage.oom_kills, 1);
        fs::remove_file(inner.join("cpu.stat")).expect("a file");
        assert!(group.look().is_empty(), "it has gone");
    }

    #[test]
    fn what_is_no_limit_is_none() {
        assert_eq!(quota("max 100000"), None);
        assert_eq!(quota("nonsense"), None);
        assert_eq!(quota("1 0"), None);
        assert_eq!(megabytes("max\n"), None);
        assert_eq!(field("oom_kill_group 7\n", "oom_kill"), None);
    }
}
