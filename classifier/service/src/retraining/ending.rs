//! How a job ended, and how that gets into the store.

use std::fs;
use std::path::Path;
use std::time::{Duration, Instant};

use anyhow::{Context, Result};
use classifier_store::{Figures, Job, NewModel, Outcome, StoreError};
use jiff::Timestamp;

use super::process::Done;
use super::verdict::overruled;
use super::worker::{LOOK_EVERY, Worker, complain};

/// For how long a store that does not answer is asked again: training may have taken long.
const STORE_WITHIN: Duration = Duration::from_secs(600);

const SERVICE_GONE: &str = "the service ended while this job ran; ask for it again";

/// How training ended.
pub(super) enum Ended {
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

impl Worker {
    /// Writes down how `job` ended; returns its status.
    pub(super) fn store(
        &self,
        ended: &Ended,
        job: &Job,
        out: &Path,
        figures: Figures,
    ) -> Result<&'static str> {
        let finish = |ended: &Ended| self.finish(ended, job, out, figures);
        self.patiently(|| finish(ended), || !self.stopping())
            .or_else(|error| {
                let why = format!("the result could not be stored: {error:#}");
                finish(&Ended::Failed(why))?;
                Err(error)
            })
    }

    /// Tries `attempt` again as long as the store may answer again by itself and `goes_on`
    /// says so, [`STORE_WITHIN`] at most. Why it waits is said once.
    pub(super) fn patiently<T>(
        &self,
        mut attempt: impl FnMut() -> Result<T>,
        goes_on: impl Fn() -> bool,
    ) -> Result<T> {
        let (begun, mut is_said) = (Instant::now(), false);
        loop {
            let error = match attempt() {
                Ok(value) => return Ok(value),
                Err(error) => error,
            };
            let may_pass = matches!(
                error.downcast_ref(),
                Some(StoreError::Database(_) | StoreError::Bucket(_))
            );
            if !may_pass || !goes_on() || begun.elapsed() > STORE_WITHIN {
                return Err(error);
            }
            if !is_said {
                complain(&error);
                is_said = true;
            }
            // Whether woken or not, it is time to try again.
            let _ = self.woken.recv_timeout(LOOK_EVERY);
        }
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
                } else {
                    let content =
                        fs::read(out).with_context(|| format!("cannot read {}", out.display()))?;
                    let evaluation = done.evaluation.to_string();
                    let accepted = finish(&Outcome::Accepted {
                        model: NewModel {
                            content: &content,
                            accuracy: Some(done.accuracy),
                            evaluation: Some(&evaluation),
                            version: None,
                        },
                        in_place_of: compared_with,
                        message,
                    });
                    // Somebody who chose another one while the job ran chose it knowing that.
                    if let Err(StoreError::OtherServes(chosen)) = &accepted {
                        let message = overruled(compared_with, chosen);
                        finish(&Outcome::Rejected { message })?;
                    } else {
                        accepted?;
                    }
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
