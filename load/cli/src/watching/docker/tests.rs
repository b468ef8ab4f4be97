//! Against what a real engine answered, Docker 20.10.24 with control groups' version 1: a container that was
//! busy under `--cpus 0.5 --memory 64m`, one that ran out of `--memory 32m` again and again, and the project
//! of `deploy/compose.yaml`. Of each answer, `recorded` has the parts that matter.

use std::io::{BufRead, BufReader, Write};
use std::os::unix::net::{UnixListener, UnixStream};
use std::path::Path;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use serde_json::{Value as Json, json};

use super::*;

const PATIENCE: Duration = Duration::from_secs(20);

fn recorded() -> Json {
    serde_json::from_str(include_str!("recorded/engine-20.10.24.json")).expect("JSON")
}

fn array(of: &Json) -> &[Json] {
    of.as_array().expect("an array")
}

/// What the stand-in answers with; a test may change it.
#[derive(Debug, Default)]
struct Answers {
    containers: Vec<Json>,
    /// Lines that whoever follows hears next, and then no more.
    stats: Vec<Json>,
    events: Vec<Json>,
    state: Json,
}

/// Answers as Docker does, by HTTP/1.0.
fn stand_in(socket: &Path, answers: Arc<Mutex<Answers>>) {
    let listener = UnixListener::bind(socket).expect("a socket");
    std::thread::spawn(move || {
        for stream in listener.incoming() {
            answer(stream.expect("a connection"), &answers);
        }
    });
}

fn answer(mut stream: UnixStream, answers: &Mutex<Answers>) {
    let mut line = String::new();
    let read = BufReader::new(&stream).read_line(&mut line);
    read.expect("a request");
    let path = line.split_whitespace().nth(1).expect("a path").to_owned();
    let mut answers = answers.lock().expect("nobody panics");
    let lines = match path.split_once('?').unwrap_or((&path, "")) {
        ("/containers/json", _) => vec![Json::from(answers.containers.clone())],
        ("/events", _) => std::mem::take(&mut answers.events),
        (other, "stream=true") if other.ends_with("/stats") => answers.stats.clone(),
        (other, "") if other.ends_with("/json") => vec![answers.state.clone()],
        (other, _) => panic!("{other}"),
    };
    let lines: String = lines.iter().map(|line| format!("{line}\n")).collect();
    let head = "HTTP/1.0 200 OK\r\nContent-Type: application/json\r\n\r\n";
    // Whoever asked may have gone.
    let _ = write!(stream, "{head}{lines}");
}

/// Looks until something is seen.
fn look(docker: &mut Docker) -> Vec<Reading> {
    let begun = Instant::now();
    loop {
        let seen = docker.look();
        if !seen.is_empty() {
            return seen;
        }
        assert!(begun.elapsed() < PATIENCE, "nothing was seen");
        std::thread::sleep(Duration::from_millis(5));
    }
}

fn engine(folder: &Path, answers: Answers) -> (Engine, Arc<Mutex<Answers>>) {
    let socket = folder.join("docker.sock");
    let answers = Arc::new(Mutex::new(answers));
    stand_in(&socket, Arc::clone(&answers));
    (Engine::at(socket), answers)
}

#[test]
fn containers_are_found_by_name_service_and_the_project_of_a_port() {
    let recorded = recorded();
    let all = array(&recorded["containers"]);
    let found = |which: Which| which.of(all).into_iter().map(name).collect::<Vec<_>>();
    let named = |name: &str| found(Which::Named(name.to_owned()));
    assert_eq!(named("hog"), ["/hog"]);
    assert_eq!(named("api"), ["/brain-mri-api-1"]);
    assert_eq!(named("brain-mri-api-1"), ["/brain-mri-api-1"]);
    assert!(named("ap").is_empty());
    let project = [
        "/brain-mri-nginx-1",
        "/brain-mri-api-1",
        "/brain-mri-postgres-1",
    ];
    assert_eq!(found(Which::Publishing(80)), project);
    assert!(found(Which::Publishing(8080)).is_empty(), "a port within");
}

#[test]
fn a_container_is_followed_until_it_goes_and_so_is_the_one_that_takes_its_place() {
    let recorded = recorded();
    let folder = tempfile::tempdir().expect("a folder");
    let (engine, answers) = engine(
        folder.path(),
        Answers {
            containers: array(&recorded["containers"]).to_vec(),
            stats: vec![recorded["busy"][0].clone()],
            state: recorded["states"][0].clone(),
            events: Vec::new(),
        },
    );
    let mut docker = Docker::of(engine, Which::Named("hog".to_owned()));
    let first = &look(&mut docker)[0];
    assert_eq!(first.name, "container hog");
    assert_eq!(
        (first.cpu_limit, first.memory_limit_mb),
        (Some(50.0), Some(32.0))
    );
    assert_eq!((first.usage.cpu, first.usage.restarts), (None, 0));
    // Another of the same name starts, and is out of memory; a third container is nobody that is followed.
    let now = i64::try_from(Timestamp::now().as_nanosecond()).expect("this century");
    let event = |name: &str, action: &str| json!({"Action": action, "Actor": {"Attributes": {"name": name}}, "timeNano": now});
    {
        let mut answers = answers.lock().expect("nobody panics");
        answers.events = vec![
            event("hog", "start"),
            event("hog", "oom"),
            event("other", "start"),
        ];
        answers.containers[0]["Id"] = "another".into();
    }
    let again = &look(&mut docker)[0];
    assert_eq!((again.usage.restarts, again.usage.oom_kills), (1, 1));
    assert_eq!(docker.containers.len(), 1);
}

#[test]
fn a_docker_that_is_not_there_is_seen_as_nothing() {
    let folder = tempfile::tempdir().expect("a folder");
    let engine = Engine::at(folder.path().join("none.sock"));
    assert!(Docker::of(engine, Which::Publishing(80)).look().is_empty());
}
