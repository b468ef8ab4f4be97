//! Containers, asked of Docker by its socket.

use std::io::{self, Read, Write};
use std::os::unix::net::UnixStream;
use std::path::PathBuf;
use std::time::Duration;

use serde_json::Value as Json;

use super::clock::Elapsed;
use super::{Reading, Source, reading};

/// Where Docker listens unless `DOCKER_HOST` says otherwise.
const SOCKET: &str = "/var/run/docker.sock";
/// How long an answer may take, and the most bytes of one.
const PATIENCE: Duration = Duration::from_secs(1);
const ANSWER_MAX: u64 = 8 << 20;
/// The most containers of one name that are followed.
const CONTAINERS_MAX: usize = 8;
/// Looks between two searches for containers.
const SEARCH_EVERY: u32 = 10;

/// Which containers.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Which {
    /// Of this name, or of this service of Docker Compose.
    Named(String),
    /// Those that this port leads to.
    Publishing(u16),
}

/// Docker, and the containers that are followed.
#[derive(Debug)]
pub(super) struct Docker {
    socket: PathBuf,
    which: Which,
    containers: Vec<Container>,
    looks: u32,
}

#[derive(Debug)]
struct Container {
    id: String,
    name: String,
    cpu_ns: Option<u64>,
    restarts_before: Option<u64>,
    oom_kills: u32,
    was_killed: bool,
    elapsed: Elapsed,
}

impl Docker {
    pub(super) fn new(which: Which) -> Self {
        let host = std::env::var("DOCKER_HOST").ok();
        let socket = host
            .as_deref()
            .and_then(|host| host.strip_prefix("unix://"));
        Self::at(PathBuf::from(socket.unwrap_or(SOCKET)), which)
    }

    fn at(socket: PathBuf, which: Which) -> Self {
        Self {
            socket,
            which,
            containers: Vec::new(),
            looks: 0,
        }
    }

    fn ask(&self, path: &str) -> Option<Json> {
        let answer = exchange(&self.socket, path).ok()?;
        let (head, body) = answer.split_once("\r\n\r\n")?;
        let status = head.split_whitespace().nth(1)?;
        (status == "200").then(|| serde_json::from_str(body).ok())?
    }

    /// Containers that came later, such as replicas, are found after a while.
    fn search(&mut self) {
        let Some(Json::Array(all)) = self.ask("/containers/json") else {
            return;
        };
        for found in all.iter().filter(|container| self.which.fits(container)) {
            let Some(id) = found["Id"].as_str() else {
                continue;
            };
            let is_known = self.containers.iter().any(|container| container.id == id);
            if !is_known && self.containers.len() < CONTAINERS_MAX {
                self.containers.push(Container::new(id, &name(found)));
            }
        }
    }
}

impl Source for Docker {
    fn look(&mut self) -> Vec<Reading> {
        if self.looks.is_multiple_of(SEARCH_EVERY) {
            self.search();
        }
        self.looks = self.looks.wrapping_add(1);
        let mut containers = std::mem::take(&mut self.containers);
        let read = |container: &mut Container| {
            let stats = self.ask(&format!(
                "/containers/{}/stats?stream=false&one-shot=true",
                container.id
            ))?;
            let state = self.ask(&format!("/containers/{}/json", container.id))?;
            container.take(&stats, &state)
        };
        let readings = containers.iter_mut().filter_map(read).collect();
        self.containers = containers;
        readings
    }
}

impl Which {
    fn fits(&self, container: &Json) -> bool {
        match self {
            Self::Named(wanted) => {
                let names = container["Names"].as_array().into_iter().flatten();
                let service = &container["Labels"]["com.docker.compose.service"];
                let is_wanted = |name: &str| name.trim_start_matches('/') == wanted;
                service == wanted.as_str() || names.filter_map(Json::as_str).any(is_wanted)
            }
            Self::Publishing(port) => {
                let mut ports = container["Ports"].as_array().into_iter().flatten();
                ports.any(|published| published["PublicPort"] == *port)
            }
        }
    }
}

fn name(container: &Json) -> String {
    let name = container["Names"][0].as_str().unwrap_or_default();
    format!("container {}", name.trim_start_matches('/'))
}

impl Container {
    fn new(id: &str, name: &str) -> Self {
        Self {
            id: id.to_owned(),
            name: name.to_owned(),
            cpu_ns: None,
            restarts_before: None,
            oom_kills: 0,
            was_killed: false,
            elapsed: Elapsed::default(),
        }
    }

    fn take(&mut self, stats: &Json, state: &Json) -> Option<Reading> {
        let megabytes = |bytes: u64| bytes as f32 / (1 << 20) as f32;
        let cpu_ns = stats["cpu_stats"]["cpu_usage"]["total_usage"].as_u64();
        let seconds = self.elapsed.since_last();
        let before = std::mem::replace(&mut self.cpu_ns, cpu_ns);
        // A container that starts again counts from zero.
        let grown = cpu_ns
            .zip(before)
            .and_then(|(now, before)| now.checked_sub(before));
        let memory = &stats["memory_stats"];
        let cached = memory["stats"]["inactive_file"].as_u64().unwrap_or(0);
        let restarts = state["RestartCount"].as_u64().unwrap_or(0);
        let killed = state["State"]["OOMKilled"].as_bool().unwrap_or(false);
        self.oom_kills += u32::from(killed && !std::mem::replace(&mut self.was_killed, killed));
        self.was_killed = killed;
        let restarts = restarts.saturating_sub(*self.restarts_before.get_or_insert(restarts));
        let quota = state["HostConfig"]["NanoCpus"]
            .as_u64()
            .filter(|quota| *quota > 0);
        let cores = stats["cpu_stats"]["online_cpus"].as_u64();
        let mut reading = reading(&self.name);
        reading.cpu_limit = quota
            .map(|quota| quota as f32 / 1e7)
            .or_else(|| cores.map(|cores| cores as f32 * 100.0));
        reading.memory_limit_mb = state["HostConfig"]["Memory"]
            .as_u64()
            .filter(|limit| *limit > 0)
            .map(megabytes);
        reading.usage.cpu = grown
            .zip(seconds)
            .map(|(grown, seconds)| (grown as f64 / 1e7 / seconds) as f32);
        reading.usage.memory_mb = memory["usage"]
            .as_u64()
            .map(|usage| megabytes(usage.saturating_sub(cached)));
        reading.usage.restarts = u32::try_from(restarts).unwrap_or(u32::MAX);
        reading.usage.oom_kills = self.oom_kills;
        Some(reading)
    }
}

/// In HTTP/1.0, so that the answer ends with the connection.
fn exchange(socket: &PathBuf, path: &str) -> io::Result<String> {
    let mut stream = UnixStream::connect(socket)?;
    stream.set_read_timeout(Some(PATIENCE))?;
    stream.set_write_timeout(Some(PATIENCE))?;
    write!(stream, "GET {path} HTTP/1.0\r\nHost: docker\r\n\r\n")?;
    let mut answer = String::new();
    stream.take(ANSWER_MAX).read_to_string(&mut answer)?;
    Ok(answer)
}

#[cfg(test)]
mod tests {
    use std::io::{BufRead, BufReader};
    use std::os::unix::net::UnixListener;

    use serde_json::json;

    use super::*;

    /// Answers as Docker does, as often as is asked.
    fn stand_in(listener: UnixListener) {
        let mut cpu = 1_000_000_000_u64;
        for stream in listener.incoming() {
            let mut stream = stream.expect("a connection");
            let mut line = String::new();
            BufReader::new(&stream)
                .read_line(&mut line)
                .expect("a request");
            let path = line.split_whitespace().nth(1).expect("a path").to_owned();
            let body = match &*path {
                "/containers/json" => json!([
                    {"Id": "aa", "Names": ["/shop_api_1"], "Labels": {"com.docker.compose.service": "api"},
                     "Ports": [{"PrivatePort": 80, "PublicPort": 8_000, "Type": "tcp"}]},
                    {"Id": "bb", "Names": ["/shop_db_1"], "Labels": {}, "Ports": []},
                ]),
                "/containers/aa/stats?stream=false&one-shot=true" => {
                    cpu += 100_000_000;
                    json!({"cpu_stats": {"cpu_usage": {"total_usage": cpu}, "online_cpus": 2},
                           "memory_stats": {"usage": 209_715_200, "stats": {"inactive_file": 104_857_600}}})
                }
                "/containers/aa/json" => json!({
                    "RestartCount": if cpu > 1_150_000_000 { 5 } else { 4 },
                    "State": {"OOMKilled": cpu > 1_150_000_000},
                    "HostConfig": {"NanoCpus": 500_000_000_u64, "Memory": 536_870_912_u64},
                }),
                "/end" => return,
                other => panic!("{other}"),
            };
            write!(
                stream,
                "HTTP/1.0 200 OK\r\nContent-Type: application/json\r\n\r\n{body}"
            )
            .expect("an answer");
        }
    }

    #[test]
    fn containers_are_found_by_name_service_and_port() {
        let folder = tempfile::tempdir().expect("a folder");
        let socket = folder.path().join("docker.sock");
        let listener = UnixListener::bind(&socket).expect("a socket");
        let server = std::thread::spawn(|| stand_in(listener));
        for which in ["api", "shop_api_1"].map(|name| Which::Named(name.to_owned())) {
            let found = Docker::at(socket.clone(), which).look();
            assert_eq!(found.len(), 1);
            assert_eq!(found[0].name, "container shop_api_1");
        }
        let mut docker = Docker::at(socket.clone(), Which::Publishing(8_000));
        assert_eq!(docker.look()[0].usage.cpu, None);
        let second = &docker.look()[0];
        assert!(second.usage.cpu > Some(0.0));
        assert_eq!(
            (second.cpu_limit, second.memory_limit_mb),
            (Some(50.0), Some(512.0))
        );
        assert_eq!(
            second.usage.memory_mb,
            Some(100.0),
            "what is cached is free"
        );
        assert!(
            Docker::at(socket.clone(), Which::Publishing(9))
                .look()
                .is_empty()
        );
        exchange(&socket, "/end").expect("the end");
        server.join().expect("no request was unknown");
        assert!(docker.look().is_empty(), "Docker has gone");
    }

    #[test]
    fn restarts_and_kills_count_from_the_first_look() {
        let mut container = Container::new("aa", "container x");
        let state = |restarts: u64, killed: bool| json!({"RestartCount": restarts, "State": {"OOMKilled": killed}});
        let stats = json!({});
        let mut seen = |state: &Json| {
            let reading = container.take(&stats, state).expect("a reading");
            (reading.usage.restarts, reading.usage.oom_kills)
        };
        assert_eq!(seen(&state(4, false)), (0, 0));
        assert_eq!(seen(&state(5, true)), (1, 1));
        assert_eq!(seen(&state(5, true)), (1, 1));
        assert_eq!(
            seen(&json!({})),
            (0, 1),
            "an answer without figures is no panic"
        );
    }
}
