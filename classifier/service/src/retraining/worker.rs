//! The thread that runs jobs, and keeps the served model at what the store says.

use std::fs;
use std::io::Write;
use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Receiver, RecvTimeoutError, SyncSender, sync_channel};
use std::sync::{Arc, Mutex};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use anyhow::{Context, Result};
use classifier_model::{Classifier, ModelFile};
use classifier_store::{Figures, Job, ModelVersion, Store};
use jiff::Timestamp;

use super::ending::Ended;
use super::lease::{LEASE, Renewal, Verdict};
use super::pace::Pace;
use super::process::{Event, Task, Training};
use crate::base::Base;
use crate::metrics::Metrics;
use crate::prediction::Predictor;

/// How often the store is asked for jobs and versions that other processes brought.
pub(super) const LOOK_EVERY: Duration = Duration::from_secs(1);
/// How often a running job's end may be asked for.
const CANCEL_LOOK_EVERY: Duration = Duration::from_millis(200);
/// Of more uploads, the latest are learnt from: all of them have to be in memory.
const UPLOADS_MAX: usize = 5_000;

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

pub(super) struct Worker {
    pub(super) plan: Plan,
    stop: Arc<AtomicBool>,
    pub(super) woken: Receiver<()>,
    /// What this process is called where it takes a job.
    pub(super) runner: String,
    pace: SharedPace,
}

impl Retraining {
    pub(crate) fn start(plan: Plan) -> Result<Retraining> {
        let stop = Arc::new(AtomicBool::new(false));
        let (wake, woken) = sync_channel(1);
        let pace = SharedPace::default();
        let worker = Worker {
            runner: plan.store.own_name(),
            plan,
            stop: Arc::clone(&stop),
            woken,
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
    fn run(self) {
        let mut said = None;
        while !self.stopping() {
            let looked = self.look();
            let trouble = looked.as_ref().err().map(|error| format!("{error:#}"));
            if let (Err(error), true) = (&looked, trouble != said) {
                // Once, however long it lasts.
                complain(error);
            }
            said = trouble;
            let ran_one = looked.unwrap_or(false);
            if !ran_one {
                // Whether woken or not, it is time to look again.
                let _ = self.woken.recv_timeout(LOOK_EVERY);
            }
        }
    }

    pub(super) fn stopping(&self) -> bool {
        self.stop.load(Ordering::Relaxed)
    }

    /// Runs a job if one waits; returns whether one did.
    fn look(&self) -> Result<bool> {
        self.follow_version()?;
        let Some(base) = self.plan.base.clone() else {
            return Ok(false);
        };
        let (store, now) = (&self.plan.store, Timestamp::now());
        let Some(job) = store.start_next_job(&self.runner, LEASE, now)? else {
            return Ok(false);
        };
        self.work(&job, base)?;
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

    fn work(&self, job: &Job, base: Base) -> Result<()> {
        let renewal = Renewal::start(&self.plan.store, &job.id, &self.runner)?;
        let out = self.plan.store.scratch_file("retrained");
        let mut figures = Figures::default();
        let ended = self.train(job, base, &out, &mut figures, &renewal);
        let ended = ended.unwrap_or_else(|error| Ended::Failed(format!("{error:#}")));
        let stored = self.store(&ended, job, &out, figures);
        // It was stored under another name, or is of no use.
        let _ = fs::remove_file(&out);
        self.plan.metrics.count_job(stored?);
        self.follow_version()
    }

    fn train(
        &self,
        job: &Job,
        base: Base,
        out: &Path,
        figures: &mut Figures,
        renewal: &Renewal,
    ) -> Result<Ended> {
        let task = self.patiently(
            || self.task(job, base.clone(), out),
            || self.ended_by_others(renewal).is_none(),
        );
        if let Some(ended) = self.ended_by_others(renewal) {
            return Ok(ended);
        }
        let task = task?;
        let mut training = Training::start(&task)?;
        let _paced = self.watch_pace(job, &training);
        let (mut noted, mut followed) = (0, Instant::now());
        loop {
            self.note_pace(&training);
            if let Some(ended) = self.ended_by_others(renewal) {
                return Ok(ended);
            }
            if followed.elapsed() > LOOK_EVERY {
                followed = Instant::now();
                let follow = self.follow_version();
                follow.unwrap_or_else(|error| complain(&error));
            }
            let event = match training.events.recv_timeout(CANCEL_LOOK_EVERY) {
                Ok(event) => event,
                Err(RecvTimeoutError::Timeout) => continue,
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
                    let compared_with = task.serving;
                    return Ok(Ended::Done {
                        done,
                        compared_with,
                    });
                }
                Event::Failed { why } => return Ok(Ended::Failed(why)),
            }
        }
    }

    /// How the job ends, if somebody else ends it.
    fn ended_by_others(&self, renewal: &Renewal) -> Option<Ended> {
        if self.stopping() {
            return Some(Ended::Interrupted);
        }
        match renewal.verdict() {
            Verdict::GoOn => None,
            Verdict::Cancel => Some(Ended::Cancelled),
            Verdict::Taken => Some(Ended::Taken),
        }
    }

    fn task(&self, job: &Job, base: Base, out: &Path) -> Result<Task> {
        let store = &self.plan.store;
        let serving = store.serving_model()?.context("no model serves")?;
        let uploads = store.latest_uploads(UPLOADS_MAX)?;
        let keys: Vec<String> = [&serving.key]
            .into_iter()
            .chain(uploads.iter().map(|upload| &upload.key))
            .cloned()
            .collect();
        let mut files = store.files(&keys)?.into_iter();
        Ok(Task {
            model: files.next().expect("one for each key"),
            serving: serving.version,
            out: out.to_owned(),
            version: store.next_version()?,
            base,
            uploads: files
                .zip(uploads.iter().map(|upload| upload.class))
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
        let store = &self.plan.store;
        let noted = store.note_progress(&job.id, &self.runner, percent, figures);
        noted.unwrap_or_else(|error| complain(&error.into()));
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
pub(super) fn complain(error: &anyhow::Error) {
    let _ = writeln!(std::io::stderr(), "classifier: retraining: {error:#}");
}
