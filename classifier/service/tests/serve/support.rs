//! A running service, and the two ways in which the tests talk to it.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdout, Command, Stdio};
use std::time::{Duration, Instant};

use serde_json::Value;
use tempfile::TempDir;

/// Far above what any reply takes: a test that waits so long has failed.
const PATIENCE: Duration = Duration::from_secs(60);
/// The same for what happens in the background, where other programs come first.
const BACKGROUND_PATIENCE: Duration = Duration::from_secs(300);

/// A file of the repository.
pub(crate) fn repository(path: &str) -> PathBuf {
    PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/../..")).join(path)
}

/// The shipped model.
pub(crate) fn model() -> PathBuf {
    repository("models/brain-mri.model")
}

/// The program.
pub(crate) fn program() -> Command {
    Command::new(env!("CARGO_BIN_EXE_classifier"))
}

/// The program, told to serve from a store in `folder`.
pub(crate) fn command(port: u16, model: &Path, folder: &Path) -> Command {
    command_of(program(), port, model, folder)
}

/// `program`, told so.
pub(crate) fn command_of(mut program: Command, port: u16, model: &Path, folder: &Path) -> Command {
    program
        .args(["serve", "--port", &port.to_string(), "--model"])
        .arg(model)
        .arg("--store")
        .arg(folder)
        // For the tests' own object store; others need none.
        .envs([
            ("AWS_ACCESS_KEY_ID", "test"),
            ("AWS_SECRET_ACCESS_KEY", "test"),
        ]);
    program
}

/// A service that ends with its test.
pub(crate) struct Service {
    pub(crate) child: Child,
    pub(crate) address: SocketAddr,
    pub(crate) ready_line: String,
    stdout: BufReader<ChildStdout>,
    /// Removed when the service has ended; `None` for a store that outlives it.
    folder: Option<TempDir>,
}

/// What came back.
#[derive(Debug)]
pub(crate) struct Reply {
    pub(crate) status: u16,
    /// The status line and the headers, in small letters.
    pub(crate) head: String,
    pub(crate) body: String,
}

impl Service {
    /// Serves the shipped model on a free port, from a new store.
    pub(crate) fn start(flags: &[&str]) -> Service {
        let folder = tempfile::tempdir().expect("a folder");
        let mut service = Service::start_in(folder.path(), &model(), flags);
        service.folder = Some(folder);
        service
    }

    /// Serves `model` on a free port, from the store in `folder`.
    pub(crate) fn start_in(folder: &Path, model: &Path, flags: &[&str]) -> Service {
        let mut command = command(0, model, folder);
        command.args(flags);
        Service::started(command)
    }

    /// What `command` starts.
    pub(crate) fn started(mut command: Command) -> Service {
        let mut child = command
            .stdout(Stdio::piped())
            .spawn()
            .expect("the program starts");
        let mut stdout = BufReader::new(child.stdout.take().expect("a pipe"));
        let mut ready_line = String::new();
        stdout.read_line(&mut ready_line).expect("a line");
        let (_, rest) = ready_line.split_once("://").expect("an address");
        let address = rest.split(' ').next().expect("an address");
        Service {
            child,
            address: address.parse().expect("an address"),
            ready_line,
            stdout,
            folder: None,
        }
    }

    /// Where it keeps things.
    pub(crate) fn folder(&self) -> &Path {
        self.folder.as_ref().expect("a store of its own").path()
    }

    /// The status and the JSON of a reply to GET.
    pub(crate) fn get(&self, path: &str) -> (u16, Value) {
        let reply = agent().get(format!("http://{}{path}", self.address)).call();
        read(reply.expect("a reply"))
    }

    /// The status and the JSON of a reply to POST.
    pub(crate) fn post_to(&self, path: &str, content_type: &str, body: &[u8]) -> (u16, Value) {
        let reply = agent()
            .post(format!("http://{}{path}", self.address))
            .content_type(content_type)
            .send(body);
        read(reply.expect("a reply"))
    }

    /// Uploads images as `label`.
    pub(crate) fn upload(&self, label: &str, images: &[&[u8]]) -> (u16, Value) {
        let path = format!("/upload_training_data?label={label}");
        self.post_to(&path, FORM, &form_of("files", images))
    }

    /// The reply to an upload that was stored; `None` if the service breaks off.
    pub(crate) fn try_upload(&self, label: &str, images: &[&[u8]]) -> Option<Value> {
        let sent = agent()
            .post(format!(
                "http://{}/upload_training_data?label={label}",
                self.address
            ))
            .content_type(FORM)
            .send(&form_of("files", images));
        let text = sent.ok()?.body_mut().read_to_string().ok()?;
        let reply: Value = serde_json::from_str(&text).expect("JSON");
        assert!(reply["names"].is_array(), "{reply}");
        Some(reply)
    }

    pub(crate) fn connect(&self) -> Connection {
        let socket = TcpStream::connect(self.address).expect("the service listens");
        socket
            .set_read_timeout(Some(PATIENCE))
            .expect("a time limit");
        Connection(BufReader::new(socket))
    }

    /// One request, its bytes as given, on a connection of its own.
    pub(crate) fn raw(&self, request: &[u8]) -> Reply {
        let mut connection = self.connect();
        connection.send(request);
        connection.reply()
    }

    /// Posts `content` as the field `name` of a form to /predict, as clients do.
    pub(crate) fn post(&self, name: &str, content: &[u8]) -> (u16, Value, String) {
        let mut response = agent()
            .post(format!("http://{}/predict", self.address))
            .content_type(FORM)
            .send(&form(name, content))
            .expect("a reply");
        let timing = response.headers().get("server-timing");
        let timing = timing.map_or("", |value| value.to_str().expect("text"));
        let timing = timing.to_owned();
        let body = response.body_mut().read_to_string().expect("text");
        let body = serde_json::from_str(&body).expect("JSON");
        (response.status().as_u16(), body, timing)
    }

    /// The most memory that it has held so far.
    pub(crate) fn peak_kib(&self) -> u64 {
        let status = format!("/proc/{}/status", self.child.id());
        let status = std::fs::read_to_string(status).expect("a process");
        let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
        let number = line.and_then(|line| line.split_whitespace().next());
        number.expect("a line").parse().expect("a number")
    }

    pub(crate) fn signal(&self, name: &str) {
        let status = Command::new("kill")
            .args([name, &self.child.id().to_string()])
            .status();
        assert!(status.expect("the command kill").success());
    }

    /// The exit code, and what the program printed after its ready line.
    pub(crate) fn end(mut self) -> (Option<i32>, String) {
        let mut rest = String::new();
        self.stdout.read_to_string(&mut rest).expect("text");
        let status = self.child.wait().expect("an exit status");
        (status.code(), rest)
    }
}

impl Drop for Service {
    fn drop(&mut self) {
        // Already ended in some tests.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// One connection, whose bytes the test writes itself.
pub(crate) struct Connection(BufReader<TcpStream>);

impl Connection {
    pub(crate) fn send(&mut self, bytes: &[u8]) {
        self.try_send(bytes).expect("the service reads");
    }

    pub(crate) fn try_send(&mut self, bytes: &[u8]) -> std::io::Result<()> {
        self.0.get_mut().write_all(bytes)
    }

    /// The head of the next reply, down to its empty line.
    pub(crate) fn head(&mut self) -> String {
        let mut head = String::new();
        while !head.ends_with("\r\n\r\n") {
            let read = self.0.read_line(&mut head).expect("a head");
            assert!(read > 0, "the connection ended after {head:?}");
        }
        head.to_lowercase()
    }

    pub(crate) fn reply(&mut self) -> Reply {
        let head = self.head();
        let length = head
            .lines()
            .find_map(|line| line.strip_prefix("content-length: "));
        let length = length.map_or(0, |length| length.parse().expect("a length"));
        let mut body = vec![0; length];
        self.0.read_exact(&mut body).expect("a body");
        Reply {
            status: head[9..12].parse().expect("a status"),
            body: String::from_utf8(body).expect("text"),
            head,
        }
    }

    /// Whether the service has closed the connection, in whatever way; reads on until then.
    pub(crate) fn is_over(&mut self) -> bool {
        !matches!(self.0.read(&mut [0; 1_000]), Ok(1..))
    }

    /// Whether the service closes without another byte.
    pub(crate) fn is_closed(&mut self) -> bool {
        matches!(self.0.read(&mut [0]), Ok(0))
    }
}

impl Reply {
    /// The message of a reply that has nothing but a message.
    pub(crate) fn detail(&self) -> String {
        let body: Value = serde_json::from_str(&self.body).expect("JSON");
        let object = body.as_object().expect("an object");
        assert_eq!(object.len(), 1, "{body}");
        object["detail"].as_str().expect("a message").to_owned()
    }
}

fn agent() -> ureq::Agent {
    let config = ureq::Agent::config_builder().http_status_as_error(false);
    config.build().into()
}

fn read(mut reply: ureq::http::Response<ureq::Body>) -> (u16, Value) {
    let body = reply.body_mut().read_to_string().expect("text");
    let json = serde_json::from_str(&body);
    (reply.status().as_u16(), json.expect("JSON"))
}

/// Asks again until `answer` is there; far above what anything takes, the test has failed.
pub(crate) fn until<T>(what: &str, mut answer: impl FnMut() -> Option<T>) -> T {
    let deadline = Instant::now() + BACKGROUND_PATIENCE;
    while Instant::now() < deadline {
        if let Some(answer) = answer() {
            return answer;
        }
        std::thread::sleep(Duration::from_millis(20));
    }
    panic!("waited in vain until {what}");
}

/// What forms of the tests call themselves.
pub(crate) const FORM: &str = "multipart/form-data; boundary=x";

/// A form with one file, its boundary `x`.
pub(crate) fn form(name: &str, content: &[u8]) -> Vec<u8> {
    form_of(name, &[content])
}

/// A form with several files of one name, its boundary `x`.
pub(crate) fn form_of(name: &str, contents: &[&[u8]]) -> Vec<u8> {
    let head = format!(
        "--x\r\nContent-Disposition: form-data; name=\"{name}\"; filename=\"a.jpg\"\r\n\
         Content-Type: image/jpeg\r\n\r\n"
    );
    let mut form = Vec::new();
    for content in contents {
        form.extend([head.as_bytes(), content, b"\r\n"].concat());
    }
    form.extend(b"--x--\r\n");
    form
}

/// The head of a request that posts a form of `length` bytes to /predict.
pub(crate) fn post_head(length: usize, more: &str) -> String {
    format!(
        "POST /predict HTTP/1.1\r\nHost: test\r\nContent-Type: multipart/form-data; boundary=x\r\n\
         Content-Length: {length}\r\n{more}\r\n"
    )
}

/// A sample image.
pub(crate) fn sample(path: &str) -> Vec<u8> {
    std::fs::read(repository("samples").join(path)).expect("a sample")
}
