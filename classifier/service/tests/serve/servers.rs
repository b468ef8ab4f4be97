//! The servers that replicas share: a real PostgreSQL and a real S3-compatible store, on free ports
//! of this machine. `scripts/servers.sh` finds them, or installs them.

use std::net::{TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use tempfile::TempDir;

use crate::crashes::children;
use crate::pictures::name_of;
use crate::support::{repository, until};

/// Where a server's programs are.
fn find(server: &str) -> PathBuf {
    let found = Command::new(repository("scripts/servers.sh"))
        .arg(server)
        .stderr(Stdio::inherit())
        .output()
        .expect("the script runs");
    assert!(found.status.success(), "there is no {server}");
    String::from_utf8(found.stdout)
        .expect("a path")
        .trim()
        .into()
}

fn free_port() -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
    listener.local_addr().expect("an address").port()
}

/// A database server that ends with its test.
pub(crate) struct Postgres {
    folder: TempDir,
    programs: PathBuf,
    port: u16,
}

impl Postgres {
    pub(crate) fn start() -> Postgres {
        let server = Postgres {
            folder: tempfile::tempdir().expect("a folder"),
            programs: find("postgres"),
            port: free_port(),
        };
        if is_root() {
            // The server refuses to run as root.
            run(Command::new("chown").arg("postgres").arg(server.folder()));
        }
        run(server.program("initdb").args([
            "--auth=trust",
            "--username=classifier",
            "--no-sync",
            "--encoding=UTF8",
        ]));
        server.go_on();
        server
    }

    fn folder(&self) -> &Path {
        self.folder.path()
    }

    /// What `--database` takes.
    pub(crate) fn url(&self) -> String {
        format!("postgresql://classifier@127.0.0.1:{}/postgres", self.port)
    }

    /// Starts it again after [`Postgres::go_away`].
    pub(crate) fn go_on(&self) {
        // These files need not survive a power cut.
        let options = format!(
            "-c listen_addresses=127.0.0.1 -c port={} -c unix_socket_directories= -c fsync=off",
            self.port
        );
        let log = self.folder().join("log");
        let mut start = self.program("pg_ctl");
        start.args(["--wait", "start", "--options", &options, "--log"]);
        run(start.arg(log));
    }

    /// Has it answer by TLS too, from its next start on. Returns the file of its certificate, which
    /// no authority has signed.
    pub(crate) fn use_tls(&self) -> PathBuf {
        let data = self.folder().join("data");
        run(Command::new("openssl")
            .args([
                "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2",
            ])
            .args([
                "-subj",
                "/CN=classifier-test",
                "-keyout",
                "server.key",
                "-out",
                "server.crt",
            ])
            .args(["-addext", "subjectAltName=IP:127.0.0.1"])
            .args(["-addext", "basicConstraints=critical,CA:FALSE"])
            .stderr(Stdio::null())
            .current_dir(&data));
        if is_root() {
            run(Command::new("chown")
                .arg("postgres")
                .arg(data.join("server.key")));
        }
        let settings = data.join("postgresql.auto.conf");
        std::fs::write(settings, "ssl = on\n").expect("a file");
        data.join("server.crt")
    }

    /// Neither answers nor ends (`-STOP`), or goes on (`-CONT`).
    pub(crate) fn signal(&self, name: &str) {
        let file = self.folder().join("data/postmaster.pid");
        let text = std::fs::read_to_string(file).expect("the server runs");
        let server: u32 = text
            .lines()
            .next()
            .expect("a number")
            .parse()
            .expect("a number");
        let processes = children(server);
        let numbers = processes.iter().map(|process| name_of(process));
        // Those of connections may have ended by now.
        let _ = Command::new("kill")
            .arg(name)
            .arg(server.to_string())
            .args(numbers)
            .status();
    }

    /// Ends it, in the middle of whatever it does.
    pub(crate) fn go_away(&self) {
        let mut stop = self.program("pg_ctl");
        run(stop.args(["--mode=immediate", "--wait", "stop"]));
    }

    fn program(&self, name: &str) -> Command {
        let path = self.programs.join(name);
        let mut command = if is_root() {
            let mut command = Command::new("setpriv");
            command
                .args(["--reuid=postgres", "--regid=postgres", "--clear-groups"])
                .arg(path);
            command
        } else {
            Command::new(path)
        };
        command
            .current_dir(self.folder())
            .env("PGDATA", self.folder().join("data"))
            .stdout(Stdio::null());
        command
    }
}

impl Drop for Postgres {
    fn drop(&mut self) {
        if std::thread::panicking() {
            // Where the test has stopped it, it would not end.
            self.signal("-CONT");
        }
        let mut stop = self.program("pg_ctl");
        // Already ended in some tests.
        let _ = stop
            .args(["--mode=immediate", "--wait", "stop"])
            .stderr(Stdio::null())
            .status();
    }
}

fn is_root() -> bool {
    std::fs::metadata("/proc/self").is_ok_and(|own| std::os::unix::fs::MetadataExt::uid(&own) == 0)
}

fn run(command: &mut Command) {
    let status = command.status().expect("the program runs");
    assert!(status.success(), "{command:?}: {status}");
}

/// An S3-compatible store that ends with its test.
pub(crate) struct ObjectStore {
    child: Child,
    port: u16,
}

impl ObjectStore {
    /// Has the bucket `mri`.
    pub(crate) fn start() -> ObjectStore {
        let port = free_port();
        let store = ObjectStore {
            child: s3(port),
            port,
        };
        store.make_bucket();
        store
    }

    /// Has the bucket `mri`, if it has none.
    fn make_bucket(&self) {
        let made = ureq::put(format!("{}/mri", self.url())).send_empty();
        assert!(made.expect("a reply").status().is_success());
    }

    /// Refuses connections.
    pub(crate) fn go_away(&mut self) {
        self.child.kill().expect("it runs");
        self.child.wait().expect("it ends");
    }

    /// After [`ObjectStore::go_away`]: it is back, and empty.
    pub(crate) fn go_on(&mut self) {
        self.child = s3(self.port);
        self.make_bucket();
    }

    /// Takes connections, and answers nothing.
    pub(crate) fn fall_silent(&mut self) {
        self.signal("-STOP");
    }

    /// After [`ObjectStore::fall_silent`].
    pub(crate) fn speak(&mut self) {
        self.signal("-CONT");
    }

    fn signal(&self, signal: &str) {
        run(Command::new("kill").args([signal, &self.child.id().to_string()]));
    }

    /// What `--s3-endpoint` takes.
    pub(crate) fn url(&self) -> String {
        format!("http://127.0.0.1:{}", self.port)
    }

    /// What is in the bucket under `key`.
    pub(crate) fn object(&self, key: &str) -> Vec<u8> {
        // It looks at who asks, and at no signature.
        let who = "AWS4-HMAC-SHA256 Credential=test/20250101/us-east-1/s3/aws4_request, \
                   SignedHeaders=host, Signature=0";
        let reply = ureq::get(format!("{}/mri/{key}", self.url()))
            .header("Authorization", who)
            .call();
        let mut reply = reply.expect("the object is there");
        reply.body_mut().read_to_vec().expect("a body")
    }
}

fn s3(port: u16) -> Child {
    let child = Command::new(find("s3"))
        .args(["--host", "127.0.0.1", "--port", &port.to_string()])
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .expect("the program starts");
    until("the object store listens", || {
        TcpStream::connect(("127.0.0.1", port)).ok()
    });
    child
}

impl Drop for ObjectStore {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
