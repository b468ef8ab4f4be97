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
use classifier_store::{Figures, Job, ModelVersion, NewModel, Outcome, Store, StoreError};
use jiff::Timestamp;

use super::lease::{LEASE, Renewal, Verdict};
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
/// For how long a result is kept, and offered to a store that does not answer.
const STORE_WITHIN: Duration = Duration::from_secs(600);
/// Of more uploads, the latest are learnt from: all of them have to be in memory.
const UPLOADS_MAX: usize = 5_000;

const SERVICE_GONE: &str = "the service ended while this job ran; ask for it again";

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
    /// What this process is called where it takes a job.
    runner: String,
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

    fn stopping(&self) -> bool {
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
        let task = self.task(job, base, out)?;
        let mut training = Training::start(&task)?;
        let _paced = self.watch_pace(job, &training);
        let (mut noted, mut followed) = (0, Instant::now());
        loop {
            self.note_pace(&training);
            if self.stopping() {
                return Ok(Ended::Interrupted);
            }
            match renewal.verdict() {
                Verdict::GoOn => {}
                Verdict::Cancel => return Ok(Ended::Cancelled),
                Verdict::Taken => return Ok(Ended::Taken),
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

    /// Writes down how `job` ended; returns its status. A store that does not answer is asked again
    /// for a while: training may have taken long.
    fn store(
        &self,
        ended: &Ended,
        job: &Job,
        out: &Path,
        figures: Figures,
    ) -> Result<&'static str> {
        let begun = Instant::now();
        loop {
            let error = match self.finish(ended, job, out, figures) {
                Ok(status) => return Ok(status),
                Err(error) => error,
            };
            let may_pass = matches!(
                error.downcast_ref(),
                Some(StoreError::Database(_) | StoreError::Bucket(_))
            );
            if !may_pass || self.stopping() || begun.elapsed() > STORE_WITHIN {
                let why = format!("the result could not be stored: {error:#}");
                self.finish(&Ended::Failed(why), job, out, figures)?;
                return Err(error);
            }
            complain(&error);
            // Whether woken or not, it is time to try again.
            let _ = self.woken.recv_timeout(LOOK_EVERY);
        }
    }

    /// The version that serves, if it is not `version`: somebody who chose one while the job ran
    /// chose it knowing that.
    fn chosen_instead_of(&self, version: &str) -> Result<Option<String>> {
        let serving = self.plan.store.serving_model()?;
        let serving = serving.context("no model serves")?.version;
        Ok(Some(serving).filter(|serving| serving != version))
    }

    fn finish(
        &self,
        ended: &Ended,
        job: &Job,
        out: &Path,
        figures: Figures,
    ) -> Result<&'static str> {
        let finish = |outcome: &Outcome<'_>| {
            let store = &self.plan.store;
            store.finish_job(&job.id, &self.runner, outcome, figures, Timestamp::now())
        };
        match ended {
            Ended::Done {
                done,
                compared_with,
            } => {
                let message = done.message.clone();
                if !done.accepted {
                    finish(&Outcome::Rejected { message })?;
                } else if let Some(chosen) = self.chosen_instead_of(compared_with)? {
                    let message = overruled(compared_with, &chosen);
                    finish(&Outcome::Rejected { message })?;
                } else {
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
                        message,
                    })?;
                }
                Ok("completed")
            }
            Ended::Failed(why) => {
                finish(&Outcome::Failed(why.clone()))?;
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
            // Whoever took it has written that down.
            Ended::Taken => Ok("interrupted"),
        }
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
    Done {
        done: Box<Done>,
        /// The version that served when the job began.
        compared_with: String,
    },
    Failed(String),
    Cancelled,
    Interrupted,
    /// Another process took this one for dead.
    Taken,
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
