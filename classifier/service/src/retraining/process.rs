//! The training process: what it is told, what it tells, and both ends of the pipe.
//!
//! The task is one line of JSON on its standard input; events are lines of JSON on its
//! standard output. The input stays open as long as the service lives: when it ends, so
//! does the process.

use std::io::{self, BufRead, BufReader, Write};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, Command, ExitStatus, Stdio};
use std::sync::mpsc::{Receiver, sync_channel};
use std::thread;
use std::time::Duration;

use anyhow::{Context, Result};
use classifier_imaging::Class;
use classifier_model::Evaluation;
use serde::{Deserialize, Serialize};

use super::training::train;
use crate::base::Base;
use crate::priority::step_back;

/// Events that wait for the service; the process pauses while as many do.
const EVENTS_MAX: usize = 64;

/// What to train.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Task {
    /// The model file to start from, and to compare with.
    pub(crate) model: PathBuf,
    /// What that is called.
    pub(crate) serving: String,
    /// Where to write the result's model file.
    pub(crate) out: PathBuf,
    /// The name in that file.
    pub(crate) version: String,
    pub(crate) base: Base,
    pub(crate) uploads: Vec<(PathBuf, Class)>,
    pub(crate) epochs: usize,
    pub(crate) batch_size: usize,
    pub(crate) learning_rate: f32,
    pub(crate) threads: usize,
}

/// How it goes.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) enum Event {
    /// So much of it is done, 0 to 100.
    Progress { percent: u32 },
    /// An epoch is over; `accuracy` is on held-out images, 0.0 to 1.0.
    Epoch { accuracy: f64, loss: f64 },
    /// The end: the result is in its file.
    Done(Box<Done>),
    /// The end: there is no result.
    Failed { why: String },
}

/// A result.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Done {
    /// Whether the result may serve.
    pub(crate) accepted: bool,
    /// How it compares, in a sentence.
    pub(crate) message: String,
    /// On held-out images.
    pub(crate) accuracy: f64,
    pub(crate) loss: f64,
    /// The whole evaluation, as JSON.
    pub(crate) evaluation: serde_json::Value,
}

impl Done {
    pub(crate) fn evaluation_of(evaluation: &Evaluation) -> serde_json::Value {
        serde_json::to_value(evaluation).expect("an evaluation is plain data")
    }
}

/// A training process, seen from the service. It is killed when this is dropped.
#[derive(Debug)]
pub(crate) struct Training {
    child: Child,
    /// Open as long as the process shall live.
    _stdin: ChildStdin,
    pub(crate) events: Receiver<Event>,
}

/// This very program, even if its file was replaced since it was started.
fn own_program() -> Result<PathBuf> {
    let running = Path::new("/proc/self/exe");
    if running.exists() {
        return Ok(running.to_owned());
    }
    std::env::current_exe().context("cannot find the program's own file")
}

impl Training {
    /// Starts the process.
    pub(crate) fn start(task: &Task) -> Result<Training> {
        let mut child = Command::new(own_program()?)
            .arg("retrain-task")
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .context("cannot start the training process")?;
        let mut stdin = child.stdin.take().expect("it was asked for");
        let stdout = child.stdout.take().expect("it was asked for");
        let mut line = serde_json::to_vec(task).expect("tasks are plain data");
        line.push(b'\n');
        let (send, events) = sync_channel(EVENTS_MAX);
        let training = Training {
            child,
            events,
            _stdin: {
                stdin
                    .write_all(&line)
                    .context("cannot reach the training process")?;
                stdin
            },
        };
        // Ends with the process's output, or with the receiver.
        thread::Builder::new()
            .name("retrain-events".to_owned())
            .spawn(move || {
                for line in BufReader::new(stdout).lines().map_while(Result::ok) {
                    let Ok(event) = serde_json::from_str(&line) else {
                        continue; // Nothing of ours.
                    };
                    if send.send(event).is_err() {
                        return;
                    }
                }
            })
            .context("cannot start a thread")?;
        Ok(training)
    }

    /// The processor time that its threads had so far; `None` where the system does not tell.
    pub(crate) fn busy(&self) -> Option<Duration> {
        let stat = std::fs::read_to_string(format!("/proc/{}/stat", self.child.id())).ok()?;
        // Behind the name, which may hold anything but ends with the last bracket.
        let (_, fields) = stat.rsplit_once(')')?;
        let ticks = fields.split_whitespace().skip(11).take(2);
        let ticks: u64 = ticks.map(|field| field.parse().unwrap_or(0)).sum();
        Some(Duration::from_secs_f64(
            ticks as f64 / rustix::param::clock_ticks_per_second() as f64,
        ))
    }

    /// Waits for the process's end, its events having ended.
    pub(crate) fn wait(&mut self) -> io::Result<ExitStatus> {
        self.child.wait()
    }
}

impl Drop for Training {
    fn drop(&mut self) {
        // It has ended already unless it was cancelled.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// `classifier retrain-task`: the process itself.
pub(crate) fn run() -> Result<()> {
    step_back();
    let mut line = String::new();
    let read = io::stdin().lock().read_line(&mut line);
    read.context("cannot read the task")?;
    let task: Task = serde_json::from_str(&line)
        .context("expected a task on standard input; 'classifier serve' starts this, not people")?;
    end_with_the_service();
    match train(&task, &mut tell) {
        Ok(done) => tell(&Event::Done(Box::new(done))),
        Err(error) => tell(&Event::Failed {
            why: format!("{error:#}"),
        }),
    }
    Ok(())
}

fn tell(event: &Event) {
    let mut line = serde_json::to_vec(event).expect("events are plain data");
    line.push(b'\n');
    let mut out = io::stdout().lock();
    if out.write_all(&line).and_then(|()| out.flush()).is_err() {
        std::process::exit(1); // The service is gone.
    }
}

fn end_with_the_service() {
    thread::spawn(|| {
        // Returns when the service, which writes nothing more, is gone.
        let _ = io::copy(&mut io::stdin().lock(), &mut io::sink());
        std::process::exit(1);
    });
}
