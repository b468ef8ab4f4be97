//! One container: what it may use, and what its answers say that it does.

use jiff::Timestamp;
use serde_json::Value as Json;

use super::engine::Following;
use crate::watching::{Reading, reading};

/// A container, by its name: one that takes another's place has another id.
#[derive(Debug)]
pub(super) struct Container {
    pub(super) name: String,
    /// When it was found, in nanoseconds since the Unix epoch: starts before that are none of a restart.
    pub(super) found_ns: i128,
    pub(super) following: Option<Following>,
    limits: Limits,
    /// When CPU was read last, and how much it had used by then, both in nanoseconds.
    read: Option<(i128, u64)>,
    restarts: u32,
    oom_kills: u32,
}

#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub(super) struct Limits {
    /// In percent of one core.
    cpu: Option<f32>,
    memory_mb: Option<f32>,
}

impl Container {
    pub(super) fn new(name: &str, found_ns: i128) -> Self {
        Self {
            name: name.to_owned(),
            found_ns,
            following: None,
            limits: Limits::default(),
            read: None,
            restarts: 0,
            oom_kills: 0,
        }
    }

    /// Has it be followed from now on, as what `state` says that it is.
    pub(super) fn attach(&mut self, following: Following, state: &Json) {
        self.following = Some(following);
        self.limits = limits(&state["HostConfig"]);
        self.read = None;
    }

    /// One of Docker's events, if it is this container's.
    pub(super) fn hear(&mut self, event: &Json) {
        let is_own = event["Actor"]["Attributes"]["name"] == self.name.as_str();
        let at = event["timeNano"].as_i64().unwrap_or_default();
        if !is_own || i128::from(at) <= self.found_ns {
            return;
        }
        self.restarts += u32::from(event["Action"] == "start");
        self.oom_kills += u32::from(event["Action"] == "oom");
    }

    /// What it says about itself, if that is new.
    pub(super) fn look(&mut self) -> Option<Reading> {
        let stats = self.following.as_ref()?.news()?;
        Some(self.take(&stats))
    }

    fn take(&mut self, stats: &Json) -> Reading {
        let mut reading = reading(&format!("container {}", self.name));
        let cores = stats["cpu_stats"]["online_cpus"].as_u64();
        let all_cores = cores.map(|cores| cores as f32 * 100.0);
        reading.cpu_limit = self.limits.cpu.or(all_cores);
        reading.memory_limit_mb = self.limits.memory_mb;
        reading.usage.restarts = self.restarts;
        reading.usage.oom_kills = self.oom_kills;
        let now = cpu_read(stats);
        let before = std::mem::replace(&mut self.read, now);
        reading.usage.cpu = now.zip(before).and_then(|((now_ns, cpu), (then_ns, was))| {
            // One that starts again counts from zero.
            let used = cpu.checked_sub(was)? as f64;
            (now_ns > then_ns).then(|| (100.0 * used / (now_ns - then_ns) as f64) as f32)
        });
        reading.usage.memory_mb = memory_mb(&stats["memory_stats"]);
        reading
    }
}

/// When CPU was read, and how much had been used by then; none of a container that does not run.
fn cpu_read(stats: &Json) -> Option<(i128, u64)> {
    let read: Timestamp = stats["read"].as_str()?.parse().ok()?;
    let cpu_ns = stats["cpu_stats"]["cpu_usage"]["total_usage"].as_u64()?;
    // Docker's zero is the first day of the first year.
    (read > Timestamp::UNIX_EPOCH).then(|| (read.as_nanosecond(), cpu_ns))
}

/// As `docker stats` counts it: what files are kept in memory for is free. The first name is that of control
/// groups' version 1.
fn memory_mb(memory: &Json) -> Option<f32> {
    let cached = ["total_inactive_file", "inactive_file"]
        .iter()
        .find_map(|name| memory["stats"][name].as_u64());
    let used = memory["usage"].as_u64()?;
    Some(megabytes(used.saturating_sub(cached.unwrap_or(0))))
}

fn limits(config: &Json) -> Limits {
    let number = |name: &str| config[name].as_u64().filter(|number| *number > 0);
    let quota = number("NanoCpus").map(|quota| quota as f32 / 1e7);
    let quota = quota.or_else(|| {
        let period = number("CpuPeriod").unwrap_or(100_000);
        number("CpuQuota").map(|quota| 100.0 * quota as f32 / period as f32)
    });
    let pinned = config["CpusetCpus"]
        .as_str()
        .and_then(cores)
        .map(|cores| cores as f32 * 100.0);
    Limits {
        cpu: match (quota, pinned) {
            (Some(quota), Some(pinned)) => Some(quota.min(pinned)),
            (quota, pinned) => quota.or(pinned),
        },
        memory_mb: number("Memory").map(megabytes),
    }
}

/// How many cores `0-2,5` are.
fn cores(list: &str) -> Option<u32> {
    let count = |range: &str| {
        let (first, last) = range.split_once('-').unwrap_or((range, range));
        let (first, last) = (first.parse::<u32>().ok()?, last.parse::<u32>().ok()?);
        Some(last.checked_sub(first)? + 1)
    };
    list.split(',').map(count).sum()
}

fn megabytes(bytes: u64) -> f32 {
    bytes as f32 / (1 << 20) as f32
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    /// As `tests` beside this has it.
    fn recorded(what: &str) -> Vec<Json> {
        let all = include_str!("recorded/engine-20.10.24.json");
        let all: Json = serde_json::from_str(all).expect("JSON");
        all[what].as_array().expect("an array").clone()
    }

    #[test]
    fn cpu_and_memory_are_what_docker_stats_shows() {
        let mut container = Container::new("busy", 0);
        let lines = recorded("busy");
        let seen: Vec<Reading> = lines.iter().map(|line| container.take(line)).collect();
        assert_eq!(seen[0].usage.cpu, None, "nothing to take a difference with");
        for (line, reading) in lines.iter().zip(&seen).skip(1) {
            // Source: calculateCPUPercentUnix, docker/cli, cli/command/container/stats_helpers.go.
            let used = |stats: &str| line[stats]["cpu_usage"]["total_usage"].as_f64();
            let machine = |stats: &str| line[stats]["system_cpu_usage"].as_f64();
            let grown = |what: &dyn Fn(&str) -> Option<f64>| {
                what("cpu_stats").expect("a number") - what("precpu_stats").expect("a number")
            };
            let docker = grown(&used) / grown(&machine) * 2.0 * 100.0;
            let cpu = f64::from(reading.usage.cpu.expect("a share"));
            // The kernel counts the machine's time in hundredths of a second.
            assert!((cpu - docker).abs() < 0.02 * docker, "{cpu} and {docker}");
            assert_eq!(reading.usage.memory_mb, Some(400.0 / 1024.0));
            assert_eq!(reading.cpu_limit, Some(200.0), "of two cores");
        }
    }

    #[test]
    fn a_container_that_is_down_uses_nothing_and_begins_anew() {
        let mut container = Container::new("hog", 0);
        let lines = recorded("hog");
        let cpu: Vec<bool> = lines
            .iter()
            .map(|line| container.take(line).usage.cpu.is_some())
            .collect();
        let down = lines
            .iter()
            .position(|line| line["read"] == "0001-01-01T00:00:00Z");
        let down = down.expect("it was killed");
        let memory = container.take(&lines[down]).usage.memory_mb;
        assert_eq!(memory, None);
        let expected = (0..lines.len()).map(|i| i != 0 && i != down && i != down + 1);
        assert_eq!(cpu, expected.collect::<Vec<_>>());
    }

    #[test]
    fn starts_and_kills_count_from_when_it_was_found() {
        let events = recorded("events");
        let counted = |name: &str, found_ns: i128| {
            let mut container = Container::new(name, found_ns);
            events.iter().for_each(|event| container.hear(event));
            (container.restarts, container.oom_kills)
        };
        assert_eq!(counted("hog", 0), (2, 3));
        assert_eq!(counted("busy", 0), (0, 0));
        let first_start = events[1]["timeNano"].as_i64().expect("a number");
        assert_eq!(counted("hog", first_start.into()), (1, 2));
    }

    #[test]
    fn limits_are_those_of_a_quota_of_pinned_cores_and_of_memory() {
        let recorded = recorded("states");
        for (config, cpu, memory_mb) in [
            (recorded[0]["HostConfig"].clone(), Some(50.0), Some(32.0)),
            (recorded[1]["HostConfig"].clone(), Some(200.0), Some(2048.0)),
            (
                json!({"CpuQuota": 150_000, "CpuPeriod": 0}),
                Some(150.0),
                None,
            ),
            (
                json!({"CpuQuota": 5_000, "CpuPeriod": 10_000}),
                Some(50.0),
                None,
            ),
            (
                json!({"CpuQuota": -1, "CpusetCpus": "0-2,5"}),
                Some(400.0),
                None,
            ),
            (
                json!({"NanoCpus": 3_000_000_000_u64, "CpusetCpus": "1"}),
                Some(100.0),
                None,
            ),
            (json!({"CpusetCpus": "nonsense", "Memory": 0}), None, None),
            (json!({}), None, None),
        ] {
            assert_eq!(limits(&config), Limits { cpu, memory_mb }, "{config}");
        }
    }
}
