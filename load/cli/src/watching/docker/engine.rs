//! Docker's own interface, at its socket: HTTP/1.0, so that an answer ends with the connection.

use std::io::{self, BufRead, BufReader, Read, Write};
use std::net::Shutdown;
use std::os::unix::net::UnixStream;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::Duration;

use serde_json::Value as Json;

/// Where Docker listens unless `DOCKER_HOST` says otherwise.
const SOCKET: &str = "/var/run/docker.sock";
/// How long an answer may take, and the most bytes of one.
const PATIENCE: Duration = Duration::from_secs(1);
const ANSWER_MAX: u64 = 8 << 20;
/// How long a container may say nothing of what it uses, and the most bytes that it says at once.
const SILENCE_MAX: Duration = Duration::from_secs(10);
const LINE_MAX: u64 = 1 << 20;
/// `{"type":["container"],"event":["start","oom"]}`, as a query has it.
const STARTS_AND_KILLS: &str =
    "%7B%22type%22%3A%5B%22container%22%5D%2C%22event%22%3A%5B%22start%22%2C%22oom%22%5D%7D";

#[derive(Debug, Clone)]
pub(super) struct Engine {
    socket: PathBuf,
}

impl Engine {
    /// The one of this machine.
    pub(super) fn here() -> Self {
        let host = std::env::var("DOCKER_HOST").ok();
        let socket = host
            .as_deref()
            .and_then(|host| host.strip_prefix("unix://"));
        Self::at(PathBuf::from(socket.unwrap_or(SOCKET)))
    }

    pub(super) fn at(socket: PathBuf) -> Self {
        Self { socket }
    }

    /// The containers that run.
    pub(super) fn containers(&self) -> Option<Vec<Json>> {
        serde_json::from_str(&self.ask("/containers/json").ok()?).ok()
    }

    /// How a container was set up.
    pub(super) fn container(&self, id: &str) -> Option<Json> {
        let answer = self.ask(&format!("/containers/{id}/json")).ok()?;
        serde_json::from_str(&answer).ok()
    }

    /// Which containers started, or were out of memory, between two times; nanoseconds since the Unix epoch.
    pub(super) fn starts_and_kills(&self, since_ns: i128, until_ns: i128) -> Option<Vec<Json>> {
        let time = |ns: i128| format!("{}.{:09}", ns / 1_000_000_000, ns % 1_000_000_000);
        let path = format!(
            "/events?since={}&until={}&filters={STARTS_AND_KILLS}",
            time(since_ns),
            time(until_ns)
        );
        let answer = self.ask(&path).ok()?;
        let events = serde_json::Deserializer::from_str(&answer).into_iter();
        events.collect::<Result<_, _>>().ok()
    }

    /// Begins to follow what a container uses. Docker tells that about once a second, and keeps who asks for
    /// one answer waiting as long; so each container has a thread that listens.
    pub(super) fn follow(&self, id: &str) -> io::Result<Following> {
        let stream = self.send(&format!("/containers/{id}/stats?stream=true"))?;
        stream.set_read_timeout(Some(SILENCE_MAX))?;
        let socket = stream.try_clone()?;
        let heard = Arc::new(Mutex::new(Heard::default()));
        let listener = Arc::clone(&heard);
        thread::Builder::new()
            .name("acrida-docker".to_owned())
            .spawn(move || listen(BufReader::new(stream), &listener))?;
        Ok(Following { heard, socket })
    }

    fn ask(&self, path: &str) -> io::Result<String> {
        let stream = self.send(path)?;
        let mut answer = String::new();
        stream.take(ANSWER_MAX).read_to_string(&mut answer)?;
        let (head, body) = answer.split_once("\r\n\r\n").unwrap_or_default();
        match head.split_whitespace().nth(1) {
            Some("200") => Ok(body.to_owned()),
            _ => Err(io::Error::other(format!("Docker did not answer {path}"))),
        }
    }

    fn send(&self, path: &str) -> io::Result<UnixStream> {
        let mut stream = UnixStream::connect(&self.socket)?;
        stream.set_read_timeout(Some(PATIENCE))?;
        stream.set_write_timeout(Some(PATIENCE))?;
        write!(stream, "GET {path} HTTP/1.0\r\nHost: docker\r\n\r\n")?;
        Ok(stream)
    }
}

/// What a container uses. Dropped to hear no more of it.
#[derive(Debug)]
pub(super) struct Following {
    heard: Arc<Mutex<Heard>>,
    socket: UnixStream,
}

#[derive(Debug, Default)]
struct Heard {
    latest: Option<Json>,
    has_ended: bool,
}

impl Following {
    /// What was heard last, if that is new.
    pub(super) fn news(&self) -> Option<Json> {
        lock(&self.heard).latest.take()
    }

    /// Whether there is and will be no more: the container was removed, or Docker has gone.
    pub(super) fn has_ended(&self) -> bool {
        let heard = lock(&self.heard);
        heard.has_ended && heard.latest.is_none()
    }
}

impl Drop for Following {
    fn drop(&mut self) {
        // Ends the thread; that the other side has gone first is no error.
        let _ = self.socket.shutdown(Shutdown::Both);
    }
}

/// A line is one answer; those of the answer's head are no JSON.
fn listen(mut lines: BufReader<UnixStream>, heard: &Mutex<Heard>) {
    let mut line = String::new();
    while (&mut lines)
        .take(LINE_MAX)
        .read_line(&mut line)
        .is_ok_and(|bytes| bytes > 0)
    {
        let stats = serde_json::from_str::<Json>(&line).ok();
        if let Some(stats) = stats.filter(|stats| stats["read"].is_string()) {
            lock(heard).latest = Some(stats);
        }
        line.clear();
    }
    lock(heard).has_ended = true;
}

fn lock(heard: &Mutex<Heard>) -> MutexGuard<'_, Heard> {
    heard.lock().unwrap_or_else(PoisonError::into_inner)
}
