//! A page, the run that it steers, and as much of an HTTP client as tests need.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use acrida_engine::{Action, Command, Control, Runner, Settings as EngineSettings, UserClass};
use acrida_stats::{Ledger, Limits, Snapshot};
use acrida_web::{Address, Change, ClassInfo, Page, Settings, Site};
use serde_json::{Value, json};

/// A run whose users do nothing.
struct Notes {
    control: Control,
    notes: Mutex<Vec<String>>,
}

impl Site for Notes {
    fn snapshot(&self) -> Snapshot {
        Ledger::new(Limits::default(), 1_700_000_000_000_000)
            .snapshot(1_700_000_001_000_000, self.control.user_count())
    }

    fn reset(&self) {
        self.note("reset");
    }

    fn change(&self, change: Change) {
        match change {
            Change::Settings(settings) => {
                let mut names: Vec<_> = settings.keys().cloned().collect();
                names.sort();
                self.note(&format!("settings {}", names.join(",")));
            }
            Change::User(user) => {
                self.note(&format!("user {} {:?}", user.user_class_name, user.weight))
            }
            Change::Classes(names) => self.note(&format!("classes {}", names.join(","))),
            Change::ShapeClass(name) => self.note(&format!("shape class {name:?}")),
            Change::Shape(_) => self.note("shape"),
            Change::StatsReset => self.note("told of the reset"),
        }
    }

    fn classes(&self) -> Vec<ClassInfo> {
        vec![ClassInfo {
            name: "A".to_owned(),
            host: None,
            weight: 1.0,
            fixed_count: 0,
            tasks: vec!["a".to_owned()],
        }]
    }

    fn task_ratios(&self) -> Value {
        json!({"per_class": {}, "total": {}})
    }

    fn loop_lag(&self) -> Option<Duration> {
        Some(Duration::from_millis(250))
    }

    fn log_lines(&self) -> Vec<String> {
        vec!["Starting".to_owned()]
    }

    fn run_time(&self, text: &str) -> Option<Duration> {
        text.strip_suffix('s')?
            .parse()
            .ok()
            .map(Duration::from_secs)
    }
}

impl Notes {
    fn note(&self, text: &str) {
        self.notes.lock().expect("no panic").push(text.to_owned());
    }
}

pub(crate) struct Server {
    page: Page,
    notes: Arc<Notes>,
}

impl Server {
    pub(crate) fn start(change: impl FnOnce(&mut Address)) -> Self {
        Self::start_with(change, Settings::default())
    }

    pub(crate) fn start_with(change: impl FnOnce(&mut Address), page: Settings) -> Self {
        let (sender, actions) = std::sync::mpsc::channel();
        let classes = vec![UserClass {
            name: "A".to_owned(),
            weight: 1.0,
            fixed_count: 0,
        }];
        let settings = EngineSettings {
            stop_timeout: Duration::ZERO,
            request_grace: Duration::ZERO,
            reset_stats: false,
            outlives_tests: true,
        };
        let started = acrida_engine::start(Runner::new(classes, settings), move |actions| {
            let _ = sender.send(actions);
        });
        let control = started.expect("a thread").control;
        let users = control.clone();
        std::thread::spawn(move || {
            for action in actions.into_iter().flatten() {
                match action {
                    Action::TestStart => users.send(Command::TestStarted),
                    Action::Spawn { user, .. } => users.send(Command::UserStarted(user)),
                    Action::StopUsers { users: gone, .. } => {
                        gone.into_iter()
                            .for_each(|user| users.send(Command::UserStopped(user)));
                    }
                    _ => {}
                }
            }
        });
        let notes = Arc::new(Notes {
            control: control.clone(),
            notes: Mutex::default(),
        });
        let mut address = Address::default();
        change(&mut address);
        let port = Page::bind(address).expect("a free port");
        let options = json!({"num_users": null, "spawn_rate": null, "host": null, "my_num": 24});
        let settings = Settings {
            options: options.as_object().expect("a map").clone(),
            ..page
        };
        let page = Page::start(port, Arc::clone(&notes) as Arc<dyn Site>, control, settings)
            .expect("a page");
        Self { page, notes }
    }

    pub(crate) fn port(&self) -> u16 {
        self.page.port()
    }

    pub(crate) fn beat(&self) {
        self.page.beat();
    }

    pub(crate) fn notes(&self) -> Vec<String> {
        self.notes.notes.lock().expect("no panic").clone()
    }

    /// Ends the run, as its time limit does: the page is not asked.
    pub(crate) fn end_run(&self) {
        self.notes.control.send(Command::Stop);
    }

    pub(crate) fn until_state(&self, state: &str) {
        let deadline = Instant::now() + Duration::from_secs(10);
        while self.notes.control.state().name() != state {
            assert!(
                Instant::now() < deadline,
                "it is {}",
                self.notes.control.state()
            );
            std::thread::yield_now();
        }
    }

    pub(crate) fn post(&self, path: &str, kind: &str, body: &str) -> Answer {
        let headers = [
            ("Host", "localhost".to_owned()),
            ("Content-Type", kind.to_owned()),
        ];
        request(self.port(), "POST", path, &headers, body)
    }

    pub(crate) fn open(&self, path: &str) -> Stream {
        let mut socket = TcpStream::connect(("127.0.0.1", self.port())).expect("a connection");
        write!(socket, "GET {path} HTTP/1.1\r\nHost: localhost\r\n\r\n").expect("a request");
        socket
            .set_read_timeout(Some(Duration::from_secs(10)))
            .expect("a limit");
        Stream(BufReader::new(socket))
    }
}

/// A stream of server-sent events.
pub(crate) struct Stream(BufReader<TcpStream>);

impl Stream {
    pub(crate) fn next_event(&mut self) -> String {
        loop {
            let mut line = String::new();
            self.0.read_line(&mut line).expect("an event in time");
            if let Some(data) = line.strip_prefix("data:") {
                return data.trim().to_owned();
            }
        }
    }
}

#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    headers: Vec<(String, String)>,
    pub(crate) body: String,
}

impl Answer {
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        let found = self.headers.iter().find(|(other, _)| other == name);
        found.map(|(_, value)| value.as_str())
    }
}

pub(crate) fn get(port: u16, path: &str) -> Answer {
    request(port, "GET", path, &[("Host", "localhost".to_owned())], "")
}

pub(crate) fn request(
    port: u16,
    method: &str,
    path: &str,
    headers: &[(&str, String)],
    body: &str,
) -> Answer {
    let mut socket = TcpStream::connect(("127.0.0.1", port)).expect("a connection");
    let headers: String = headers
        .iter()
        .map(|(name, value)| format!("{name}: {value}\r\n"))
        .collect();
    let length = body.len();
    write!(socket, "{method} {path} HTTP/1.1\r\n{headers}Connection: close\r\nContent-Length: {length}\r\n\r\n{body}").expect("a request");
    let mut text = Vec::new();
    socket.read_to_end(&mut text).expect("an answer");
    let text = String::from_utf8_lossy(&text).into_owned();
    let (head, body) = text.split_once("\r\n\r\n").expect("a head");
    let mut lines = head.lines();
    let status = lines
        .next()
        .and_then(|line| line.split(' ').nth(1))
        .and_then(|status| status.parse().ok());
    let headers = lines.filter_map(|line| line.split_once(": "));
    Answer {
        status: status.expect("a status"),
        headers: headers
            .map(|(name, value)| (name.to_lowercase(), value.to_owned()))
            .collect(),
        body: body.to_owned(),
    }
}
