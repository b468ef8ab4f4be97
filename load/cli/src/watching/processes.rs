//! Processes of this machine: which of them listen on a port, and what they use.

use std::collections::{HashMap, HashSet};
use std::net::IpAddr;

use procfs::net::{TcpNetEntry, TcpState};
use procfs::process::{FDTarget, Process, Stat, all_processes};

use super::cgroup::{self, Group};
use super::clock::Elapsed;
use super::{Reading, Source, reading};

/// The most processes and threads of a service that are looked at.
const PROCESSES_MAX: usize = 256;
const THREADS_MAX: usize = 512;
/// Looks between two searches for a service that is not there.
const SEARCH_EVERY: u32 = 5;
/// Looks in which a service that has gone is searched for each time: it may be starting again.
const SEARCH_EAGERLY: u32 = 60;

/// Which processes belong to a service.
#[derive(Debug)]
enum Wanted {
    /// Those that listen here, and their children.
    Listeners { address: Option<IpAddr>, port: u16 },
    /// This one, and its children.
    Root(i32),
}

/// A service, by its processes.
#[derive(Debug)]
pub(super) struct Service {
    wanted: Wanted,
    /// Those that were found, by number and start time, which together are never used again.
    roots: Vec<(i32, u64)>,
    name: String,
    limits: Limits,
    group: Option<Group>,
    restarts: u32,
    /// Looks since it was last there.
    absent: u32,
    /// CPU seconds of each process, and of each thread, at the last look.
    processes: HashMap<(i32, u64), f64>,
    threads: HashMap<(i32, u64), f64>,
    elapsed: Elapsed,
}

#[derive(Debug, Clone, Copy, Default)]
struct Limits {
    cpu: Option<f32>,
    memory_mb: Option<f32>,
}

impl Service {
    pub(super) fn on_port(address: Option<IpAddr>, port: u16) -> Self {
        Self::new(Wanted::Listeners { address, port })
    }

    pub(super) fn of_process(pid: i32) -> Self {
        Self::new(Wanted::Root(pid))
    }

    fn new(wanted: Wanted) -> Self {
        Self {
            wanted,
            roots: Vec::new(),
            name: String::new(),
            limits: Limits::default(),
            group: None,
            restarts: 0,
            absent: 0,
            processes: HashMap::new(),
            threads: HashMap::new(),
            elapsed: Elapsed::default(),
        }
    }

    /// Whether it has been seen.
    pub(super) fn is_found(&self) -> bool {
        !self.name.is_empty()
    }

    /// Whether Docker listens for it, so that its process says nothing.
    pub(super) fn is_docker(&self) -> bool {
        self.name.starts_with("docker-proxy")
    }

    /// Searches for it if it is not there, or not any more.
    fn follow(&mut self) {
        self.roots
            .retain(|(pid, start)| start_of(*pid) == Some(*start));
        if !self.roots.is_empty() {
            self.absent = 0;
            return;
        }
        self.absent = self.absent.saturating_add(1);
        let eager = self.is_found() && self.absent <= SEARCH_EAGERLY;
        if !eager && !(self.absent - 1).is_multiple_of(SEARCH_EVERY) {
            return;
        }
        let found = match &self.wanted {
            Wanted::Listeners { address, port } => listeners(*address, *port),
            Wanted::Root(pid) => vec![*pid],
        };
        self.roots = found
            .into_iter()
            .filter_map(|pid| Some((pid, start_of(pid)?)))
            .collect();
        if self.roots.is_empty() {
            return;
        }
        if self.is_found() {
            self.restarts += 1;
        }
        self.absent = 0;
        self.learn();
    }

    /// Its name and limits, from its first process.
    fn learn(&mut self) {
        let pid = self.roots[0].0;
        let comm = stat_of(pid).map_or_else(String::new, |stat| stat.comm);
        self.name = match &self.wanted {
            Wanted::Listeners { port, .. } => format!("{comm} on port {port}"),
            Wanted::Root(_) => format!("{comm}, process {pid}"),
        };
        self.group = cgroup::of_process(pid);
        let group = self.group.as_ref().map(Group::limits).unwrap_or_default();
        let cores = Process::new(pid).and_then(|process| process.status()).ok();
        let cores = cores
            .and_then(|status| status.cpus_allowed_list)
            .map(|ranges| {
                ranges.iter().map(|(from, to)| to - from + 1).sum::<u32>() as f32 * 100.0
            });
        self.limits = Limits {
            cpu: match (cores, group.cpu) {
                (Some(cores), Some(quota)) => Some(cores.min(quota)),
                (cores, quota) => cores.or(quota),
            },
            memory_mb: group.memory_mb,
        };
    }
}

impl Source for Service {
    fn look(&mut self) -> Vec<Reading> {
        self.follow();
        if !self.is_found() {
            return Vec::new();
        }
        let seconds = self.elapsed.since_last();
        let used = use_of(&self.roots);
        let cpu = grown(&self.processes, &used.processes).iter().sum::<f64>();
        let busiest = grown(&self.threads, &used.threads)
            .into_iter()
            .reduce(f64::max);
        let percent = |cpu: f64| seconds.map(|seconds| (100.0 * cpu / seconds) as f32);
        let is_there = !self.roots.is_empty();
        let mut reading = reading(&self.name);
        reading.cpu_limit = self.limits.cpu;
        reading.memory_limit_mb = self.limits.memory_mb;
        reading.usage.cpu = percent(cpu).filter(|_| is_there);
        reading.usage.busiest_thread = busiest.and_then(percent).filter(|_| is_there);
        reading.usage.memory_mb = Some(used.memory_mb).filter(|_| is_there);
        reading.usage.restarts = self.restarts;
        reading.usage.oom_kills = self.group.as_mut().map_or(0, Group::oom_kills);
        self.processes = used.processes;
        self.threads = used.threads;
        vec![reading]
    }
}

/// What processes and their children have used since they began.
#[derive(Debug, Default)]
struct Use {
    processes: HashMap<(i32, u64), f64>,
    threads: HashMap<(i32, u64), f64>,
    memory_mb: f32,
}

fn use_of(roots: &[(i32, u64)]) -> Use {
    let mut used = Use::default();
    let mut open: Vec<i32> = roots.iter().map(|(pid, _)| *pid).collect();
    let mut seen = HashSet::new();
    while let Some(pid) = open.pop() {
        if seen.len() >= PROCESSES_MAX || !seen.insert(pid) {
            continue;
        }
        // A process that has just ended is left out.
        let Ok(process) = Process::new(pid) else {
            continue;
        };
        let Ok(stat) = process.stat() else { continue };
        used.memory_mb += (stat.rss * procfs::page_size()) as f32 / (1 << 20) as f32;
        used.processes
            .insert((pid, stat.starttime), cpu_seconds(&stat));
        let Ok(tasks) = process.tasks() else { continue };
        for task in tasks.flatten() {
            if let Ok(children) = task.children() {
                open.extend(
                    children
                        .into_iter()
                        .filter_map(|child| i32::try_from(child).ok()),
                );
            }
            if used.threads.len() < THREADS_MAX
                && let Ok(stat) = task.stat()
            {
                used.threads
                    .insert((task.tid, stat.starttime), cpu_seconds(&stat));
            }
        }
    }
    used
}

fn cpu_seconds(stat: &Stat) -> f64 {
    (stat.utime + stat.stime) as f64 / procfs::ticks_per_second() as f64
}

/// What each used between two looks; all that it ever did if it began between them.
fn grown(before: &HashMap<(i32, u64), f64>, now: &HashMap<(i32, u64), f64>) -> Vec<f64> {
    let since = |(id, cpu): (&(i32, u64), &f64)| (cpu - before.get(id).unwrap_or(&0.0)).max(0.0);
    now.iter().map(since).collect()
}

fn stat_of(pid: i32) -> Option<Stat> {
    Process::new(pid).and_then(|process| process.stat()).ok()
}

/// When it began; none if it has ended, also if its parent has not asked yet.
fn start_of(pid: i32) -> Option<u64> {
    stat_of(pid)
        .filter(|stat| stat.state != 'Z')
        .map(|stat| stat.starttime)
}

/// Processes that listen on a port, as far as this user may see them.
fn listeners(address: Option<IpAddr>, port: u16) -> Vec<i32> {
    let tables = [procfs::net::tcp(), procfs::net::tcp6()];
    let sockets: HashSet<u64> = tables
        .into_iter()
        .flatten()
        .flatten()
        .filter(|entry| listens(entry, address, port))
        .map(|entry| entry.inode)
        .collect();
    if sockets.is_empty() {
        return Vec::new();
    }
    let holds = |process: &Process| {
        let files = process.fd().into_iter().flatten().flatten();
        files
            .into_iter()
            .any(|file| matches!(file.target, FDTarget::Socket(inode) if sockets.contains(&inode)))
    };
    let processes = all_processes().into_iter().flatten().flatten();
    processes
        .filter(holds)
        .map(|process| process.pid)
        .take(PROCESSES_MAX)
        .collect()
}

fn listens(entry: &TcpNetEntry, address: Option<IpAddr>, port: u16) -> bool {
    let own = entry.local_address.ip().to_canonical();
    let fits = address.is_none_or(|address| own == address.to_canonical() || own.is_unspecified());
    entry.state == TcpState::Listen && entry.local_address.port() == port && fits
}

#[cfg(test)]
mod tests {
    use std::net::TcpListener;

    use super::*;

    #[test]
    fn the_process_that_listens_is_found_by_its_port() {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
        let port = listener.local_addr().expect("an address").port();
        let own = std::process::id() as i32;
        let address = |text: &str| Some(text.parse().expect("an address"));
        assert_eq!(listeners(address("127.0.0.1"), port), [own]);
        assert_eq!(listeners(None, port), [own]);
        assert_eq!(
            listeners(address("127.0.0.2"), port),
            [0; 0],
            "it listens elsewhere"
        );
        let mut service = Service::on_port(address("127.0.0.1"), port);
        assert_eq!(service.look()[0].usage.cpu, None, "one look is no rate");
        let first = &service.look()[0];
        assert!(
            first.name.ends_with(&format!("on port {port}")),
            "{}",
            first.name
        );
        assert!(first.usage.cpu.is_some() && first.usage.memory_mb > Some(1.0));
        assert!(first.cpu_limit >= Some(100.0));
        drop(listener);
        assert_eq!(listeners(None, port), [0; 0]);
    }

    #[test]
    fn a_process_that_ends_and_comes_again_has_restarted() {
        let begin = || {
            std::process::Command::new("sleep")
                .arg("60")
                .spawn()
                .expect("a process")
        };
        let mut child = begin();
        let mut service = Service::of_process(child.id() as i32);
        assert_eq!(service.look()[0].usage.restarts, 0);
        child.kill().expect("it runs");
        child.wait().expect("it ends");
        let gone = &service.look()[0];
        assert_eq!((gone.usage.memory_mb, gone.usage.restarts), (None, 0));
        let mut child = begin();
        service.wanted = Wanted::Root(child.id() as i32);
        assert_eq!(service.look()[0].usage.restarts, 1);
        child.kill().expect("it runs");
        child.wait().expect("it ends");
    }

    #[test]
    fn children_count_with_their_parent() {
        let mut shell = std::process::Command::new("sh")
            .args(["-c", "sleep 60 & wait"])
            .spawn()
            .expect("a process");
        let root = (
            shell.id() as i32,
            start_of(shell.id() as i32).expect("it runs"),
        );
        let deadline = std::time::Instant::now() + std::time::Duration::from_secs(10);
        let mut used = use_of(&[root]);
        while used.processes.len() < 2 {
            assert!(
                std::time::Instant::now() < deadline,
                "the child is not seen"
            );
            std::thread::yield_now();
            used = use_of(&[root]);
        }
        for (pid, _) in used.processes.keys().filter(|process| **process != root) {
            let kill = std::process::Command::new("kill")
                .arg(pid.to_string())
                .status();
            assert!(kill.expect("kill").success());
        }
        shell.wait().expect("it ends");
        assert_eq!(use_of(&[root]).processes.len(), 0);
    }
}
