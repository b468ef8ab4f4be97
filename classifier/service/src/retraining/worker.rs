//! The thread that runs jobs, and keeps the served model at what the store says.

use std::fs::{self, File, TryLockError};
use std::io::Write;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Receiver, RecvTimeoutError, SyncSender, sync_channel};
use std::sync::{Arc, Mutex};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use anyhow::{Context, Result};
use classifier_model::{Classifier, ModelFile};
use classifier_store::{Figures, Job, ModelVersion, NewModel, Outcome, Store};
use jiff::Timestamp;

use super::pace::Pace;
use super::process::{Done, Event, Task, Training};
use super::verdict::overruled;
use crate::base::Base;
use crate::metrics::Metrics;
use crate::prediction::Predictor;

/// How often the store is asked for jobs and versions that other processes brought.
const LOOK_EVERY: Duration = Duration::from_secs(1);
/// How often a running job's end may be asked for.
const CANCEL_LOOK_EVERY: Duration = Duration::from_millis(200);
/// Of more uploads, the latest are learnt from: all of them have to be in memory.
const UPLOADS_MAX: usize = 5_000;

const SERVICE_GONE: &str = "the service ended while this job ran; ask for it again";
const NOT_STORED: &str = "the result could not be stored; ask for it again";

/// What the running job's training gets of the processor.
pub(crate) type SharedPace = Arc<Mutex<Option<(String, Pace)>>>;

/// What retraining works with.
pub(crate) struct Plan {
    pub(crate) store: Arc<Store>,
    pub(crate) predictor: Arc<Predictor>,
    pub(crate) metrics: Arc<Metrics>,
    /// `None`: no jobs are run, versions are followed all the same.
    pub(crate) base: Option<Base>,
    pub(crate) threads: usize,
}

/// The running thread. Dropping it ends the thread, and a job that runs.
#[derive(Debug)]
pub(crate) struct Retraining {
    stop: Arc<AtomicBool>,
    wake: SyncSender<()>,
    pace: SharedPace,
    thread: Mutex<Option<JoinHandle<()>>>,
}

struct Worker {
    plan: Plan,
    stop: Arc<AtomicBool>,
    woken: Receiver<()>,
    /// Held by the one process that runs jobs.
    lock: Option<File>,
    /// Why jobs may be marked as running although none is.
    leftover: Option<&'static str>,
    pace: SharedPace,
}

impl Retraining {
    pub(crate) fn start(plan: Plan) -> Result<Retraining> {
        let stop = Arc::new(AtomicBool::new(false));
        let (wake, woken) = sync_channel(1);
        let pace = SharedPace::default();
        let worker = Worker {
            plan,
            stop: Arc::clone(&stop),
            woken,
            lock: None,
            leftover: Some(SERVICE_GONE),
            pace: Arc::clone(&pace),
        };
        let thread = thread::Builder::new()
            .name("retrain".to_owned())
            .spawn(move || worker.run())
            .context("cannot start the thread that retrains")?;
        Ok(Retraining {
            stop,
            wake,
            pace,
            thread: Mutex::new(Some(thread)),
        })
    }

    /// Has the thread look for jobs at once.
    pub(crate) fn wake(&self) {
        // A full channel wakes it as well.
        let _ = self.wake.try_send(());
    }

    /// Why `job`, which this process runs, gets on slowly; `None` if it does not.
    pub(crate) fn delay_of(&self, job: &str) -> Option<String> {
        let pace = lock(&self.pace);
        let (running, pace) = pace.as_ref()?;
        (running == job).then(|| pace.delay()).flatten()
    }

    /// Ends the thread; a job that runs is interrupted.
    pub(crate) fn stop(&self) {
        self.stop.store(true, Ordering::Relaxed);
        self.wake();
        let thread = self
            .thread
            .lock()
            .expect("no thread panics while it holds this");
        if let Some(thread) = { thread }.take() {
            // A panic of it was reported when it happened.
            let _ = thread.join();
        }
    }
}

impl Worker {
    fn run(mut self) {
        while !self.stopping() {
            let ran_one = self.look().unwrap_or_else(|error| {
                complain(&error);
                false
            });
            if !ran_one {
                // Whether woken or not, it is time to look again.
                let _ = self.woken.recv_timeout(LOOK_EVERY);
            }
        }
    }

    fn stopping(&self) -> bool {
        self.stop.load(Ordering::Relaxed)
    }

    /// Runs a job if one waits; returns whether one did.
    fn look(&mut self) -> Result<bool> {
        self.follow_version()?;
        let Some(base) = self.plan.base.clone() else {
            return Ok(false);
        };
        if !self.holds_lock()? {
            return Ok(false);
        }
        let (store, now) = (&self.plan.store, Timestamp::now());
        if let Some(why) = self.leftover {
            store.interrupt_running_jobs(why, now)?;
            self.leftover = None;
        }
        let Some(job) = store.start_next_job(now)? else {
            return Ok(false);
        };
        self.leftover = Some(NOT_STORED);
        self.work(&job, base)?;
        self.leftover = None;
        Ok(true)
    }

    /// Another process may have retrained, or somebody have rolled back there.
    fn follow_version(&self) -> Result<()> {
        let Some(serving) = self.plan.store.serving_model()? else {
            return Ok(());
        };
        if serving.version != self.plan.predictor.model().version() {
            let classifier = load(&self.plan.store, &serving)?;
            self.plan.predictor.replace(classifier);
        }
        Ok(())
    }

    fn holds_lock(&mut self) -> Result<bool> {
        if self.lock.is_some() {
            return Ok(true);
        }
        let path = self.plan.store.folder().join("retrain.lock");
        let file =
            File::create(&path).with_context(|| format!("cannot create {}", path.display()))?;
        match file.try_lock() {
            Ok(()) => self.lock = Some(file),
            Err(TryLockError::WouldBlock) => {}
            Err(TryLockError::Error(error)) => {
                return Err(error).with_context(|| format!("cannot lock {}", path.display()));
            }
        }
        Ok(self.lock.is_some())
    }

    fn work(&self, job: &Job, base: Base) -> Result<()> {
        let out = self.out();
        let mut figures = Figures::default();
        let ended = self.train(job, base, &out, &mut figures);
        let ended = ended.unwrap_or_else(|error| Ended::Failed(format!("{error:#}")));
        let status = ended.store(&self.plan.store, job, &out, figures)?;
        // It was stored under another name, or is of no use.
        let _ = fs::remove_file(&out);
        self.plan.metrics.count_job(status);
        self.follow_version()
    }

    /// Named after this process, so that the next one may clean up after it.
    fn out(&self) -> PathBuf {
        let name = format!("unfinished/{}-retrained", std::process::id());
        self.plan.store.path_of(&name)
    }

    fn train(&self, job: &Job, base: Base, out: &Path, figures: &mut Figures) -> Result<Ended> {
        let task = self.task(job, base, out)?;
        let mut training = Training::start(&task)?;
        let _paced = self.watch_pace(job, &training);
        let mut noted = 0;
        loop {
            self.note_pace(&training);
            if self.stopping() {
                return Ok(Ended::Interrupted);
            }
            let event = match training.events.recv_timeout(CANCEL_LOOK_EVERY) {
                Ok(event) => event,
                Err(RecvTimeoutError::Timeout) => {
                    if self.is_cancelled(job) {
                        return Ok(Ended::Cancelled);
                    }
                    self.follow_version()
                        .unwrap_or_else(|error| complain(&error));
                    continue;
                }
                Err(RecvTimeoutError::Disconnected) => {
                    let status = training.wait().context("cannot tell how training ended")?;
                    let why = format!("the training process ended early: {status}");
                    return Ok(Ended::Failed(why));
                }
            };
            match event {
                Event::Progress { percent } if percent == noted => {}
                Event::Progress { percent } => {
                    noted = percent;
                    self.note(job, noted, *figures);
                    if self.is_cancelled(job) {
                        return Ok(Ended::Cancelled);
                    }
                }
                Event::Epoch { accuracy, loss } => {
                    *figures = Figures {
                        accuracy: Some(accuracy),
                        loss: Some(loss),
                    };
                    self.note(job, noted, *figures);
                }
                Event::Done(done) => {
                    *figures = Figures {
                        accuracy: Some(done.accuracy),
                        loss: Some(done.loss),
                    };
                    return self.unless_overruled(&task, done);
                }
                Event::Failed { why } => return Ok(Ended::Failed(why)),
            }
        }
    }

    /// Somebody who chose a version while the job ran chose it knowing that.
    fn unless_overruled(&self, task: &Task, done: Box<Done>) -> Result<Ended> {
        let serving = self
            .plan
            .store
            .serving_model()?
            .context("no model serves")?;
        if serving.version == task.serving {
            return Ok(Ended::Done(done));
        }
        let message = overruled(&task.serving, &serving.version);
        Ok(Ended::Done(Box::new(Done {
            accepted: false,
            message,
            ..*done
        })))
    }

    fn task(&self, job: &Job, base: Base, out: &Path) -> Result<Task> {
        let store = &self.plan.store;
        let serving = store.serving_model()?.context("no model serves")?;
        let uploads = store.latest_uploads(UPLOADS_MAX)?;
        Ok(Task {
            model: store.path_of(&serving.key),
            serving: serving.version,
            out: out.to_owned(),
            version: store.next_version()?,
            base,
            uploads: uploads
                .into_iter()
                .map(|upload| (store.path_of(&upload.key), upload.class))
                .collect(),
            epochs: job.settings.epochs as usize,
            batch_size: job.settings.batch_size as usize,
            learning_rate: job.settings.learning_rate as f32,
            threads: self.plan.threads,
        })
    }

    /// Begins to watch what a job's training gets of the processor, until dropped.
    fn watch_pace(&self, job: &Job, training: &Training) -> Watched {
        let pace = Pace::new(self.plan.threads, training.busy(), Instant::now());
        *lock(&self.pace) = Some((job.id.clone(), pace));
        Watched(Arc::clone(&self.pace))
    }

    fn note_pace(&self, training: &Training) {
        if let Some((_, pace)) = lock(&self.pace).as_mut() {
            pace.note(training.busy(), Instant::now());
        }
    }

    /// That progress cannot be noted now is no reason to lose it.
    fn note(&self, job: &Job, percent: u32, figures: Figures) {
        let noted = self.plan.store.note_progress(&job.id, percent, figures);
        noted.unwrap_or_else(|error| complain(&error.into()));
    }

    /// A store that does not answer now is asked again soon.
    fn is_cancelled(&self, job: &Job) -> bool {
        let job = self.plan.store.job(&job.id);
        job.is_ok_and(|job| job.is_some_and(|job| job.cancel_requested))
    }
}

/// A job whose pace is watched.
struct Watched(SharedPace);

impl Drop for Watched {
    fn drop(&mut self) {
        *lock(&self.0) = None;
    }
}

fn lock(pace: &SharedPace) -> std::sync::MutexGuard<'_, Option<(String, Pace)>> {
    pace.lock().expect("no thread panics while it holds this")
}

/// How training ended.
enum Ended {
    Done(Box<Done>),
    Failed(String),
    Cancelled,
    Interrupted,
}

impl Ended {
    /// Writes it down; returns the job's status.
    fn store(self, store: &Store, job: &Job, out: &Path, figures: Figures) -> Result<&'static str> {
        let finish =
            |outcome: &Outcome<'_>| store.finish_job(&job.id, outcome, figures, Timestamp::now());
        match self {
            Ended::Done(done) if done.accepted => {
                let content =
                    fs::read(out).with_context(|| format!("cannot read {}", out.display()))?;
                let evaluation = done.evaluation.to_string();
                finish(&Outcome::Accepted {
                    model: NewModel {
                        content: &content,
                        accuracy: Some(done.accuracy),
                        evaluation: Some(&evaluation),
                        version: None,
                    },
                    message: done.message,
                })?;
                Ok("completed")
            }
            Ended::Done(done) => {
                finish(&Outcome::Rejected {
                    message: done.message,
                })?;
                Ok("completed")
            }
            Ended::Failed(why) => {
                finish(&Outcome::Failed(why))?;
                Ok("failed")
            }
            Ended::Cancelled => {
                finish(&Outcome::Cancelled)?;
                Ok("cancelled")
            }
            Ended::Interrupted => {
                finish(&Outcome::Interrupted(SERVICE_GONE))?;
                Ok("interrupted")
            }
        }
    }
}

/// A stored version, ready to answer; its name is the store's.
pub(crate) fn load(store: &Store, version: &ModelVersion) -> Result<Classifier> {
    let content = store.model_content(version)?;
    let file = ModelFile::from_bytes(&content)
        .with_context(|| format!("cannot use model version {}", version.version))?;
    Ok(Classifier::from_file(&ModelFile {
        version: version.version.clone(),
        ..file
    }))
}

/// One line for whoever runs the service, who may have stopped reading.
fn complain(error: &anyhow::Error) {
    let _ = writeln!(std::io::stderr(), "classifier: retraining: {error:#}");
}
