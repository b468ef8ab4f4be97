//! What a retraining job is, and what may become of it.

use crate::models::NewModel;

/// Where a job is in its life.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum JobStatus {
    /// Waits for its turn.
    Queued,
    /// Trains now.
    Running,
    /// Ended by itself; whether its model serves, its message says.
    Completed,
    /// Could not be done; its error says why.
    Failed,
    /// Ended because somebody asked for it.
    Cancelled,
    /// The service ended while it ran.
    Interrupted,
}

impl JobStatus {
    pub(crate) const ALL: [JobStatus; 6] = [
        JobStatus::Queued,
        JobStatus::Running,
        JobStatus::Completed,
        JobStatus::Failed,
        JobStatus::Cancelled,
        JobStatus::Interrupted,
    ];

    /// Such as `queued`.
    pub fn name(self) -> &'static str {
        match self {
            JobStatus::Queued => "queued",
            JobStatus::Running => "running",
            JobStatus::Completed => "completed",
            JobStatus::Failed => "failed",
            JobStatus::Cancelled => "cancelled",
            JobStatus::Interrupted => "interrupted",
        }
    }
}

/// How to train.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct JobSettings {
    /// Passes over the images, at most.
    pub epochs: u32,
    /// Images between two steps.
    pub batch_size: u32,
    /// Highest learning rate.
    pub learning_rate: f64,
}

/// A job as it stands.
#[derive(Clone, Debug, PartialEq)]
pub struct Job {
    /// Such as `retrain_20251122_212618`.
    pub id: String,
    /// Where it is.
    pub status: JobStatus,
    /// How it trains.
    pub settings: JobSettings,
    /// How much of it is done, 0 to 100.
    pub progress: u32,
    /// What is known of the network so far.
    pub figures: Figures,
    /// The version that its model was given, if it serves.
    pub model_version: Option<String>,
    /// What came of it, in a sentence.
    pub message: Option<String>,
    /// Why it did not come to its end.
    pub error: Option<String>,
    /// Whether somebody asked for its end.
    pub cancel_requested: bool,
    /// When it was asked for, such as `2025-11-22T21:26:18Z`.
    pub created_at: String,
    /// When it began.
    pub started_at: Option<String>,
    /// When it ended, in whatever way.
    pub completed_at: Option<String>,
}

/// A network's figures on held-out images.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Figures {
    /// Share judged right, 0.0 to 1.0.
    pub accuracy: Option<f64>,
    /// Mean loss over the training images of the last epoch.
    pub loss: Option<f64>,
}

/// What became of the wish for a job.
#[derive(Clone, Debug, PartialEq)]
pub enum Requested {
    /// A new one waits.
    Created(Job),
    /// One with the same settings waits already, and will do for this wish too.
    Joined(Job),
    /// As many others wait as may.
    Full,
}

/// What became of the wish to end a job.
#[derive(Clone, Debug, PartialEq)]
pub enum Cancel {
    /// It waited, and will not run.
    Cancelled,
    /// It runs, and will end soon.
    Asked,
    /// It had ended before.
    Ended(JobStatus),
    /// There is none of this name.
    Unknown,
}

/// What a runner hears when it renews its lease on a job.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Lease {
    /// The job is its own still.
    Held,
    /// It is, and somebody asked for its end.
    CancelRequested,
    /// The job has ended, or is another's.
    Lost,
}

/// How a job ended.
#[derive(Clone, Debug)]
pub enum Outcome<'a> {
    /// Its model serves from now on.
    Accepted {
        /// The model.
        model: NewModel<'a>,
        /// The version that it was found no worse than, and takes the place of.
        in_place_of: &'a str,
        /// A sentence.
        message: String,
    },
    /// Its model was not good enough.
    Rejected {
        /// A sentence.
        message: String,
    },
    /// It could not be done.
    Failed(String),
    /// As asked.
    Cancelled,
    /// The service ends.
    Interrupted(&'static str),
}

impl Outcome<'_> {
    /// Status, message and error.
    pub(crate) fn record(&self) -> (JobStatus, Option<&str>, Option<&str>) {
        match self {
            Outcome::Accepted { message, .. } | Outcome::Rejected { message } => {
                (JobStatus::Completed, Some(message), None)
            }
            Outcome::Failed(error) => (JobStatus::Failed, None, Some(error)),
            Outcome::Cancelled => (JobStatus::Cancelled, None, None),
            Outcome::Interrupted(why) => (JobStatus::Interrupted, None, Some(why)),
        }
    }
}
