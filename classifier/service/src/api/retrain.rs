//! `POST /retrain` and what became of it.

use std::sync::Arc;

use axum::Json;
use axum::body::Bytes;
use axum::extract::{Request, State};
use classifier_store::{Cancel, Job, JobSettings, Requested};
use jiff::Timestamp;
use serde::ser::SerializeMap;
use serde::{Deserialize, Serialize, Serializer};
use utoipa::ToSchema;

use super::blocking::ask;
use super::error::{ApiError, Problem};
use super::named::Named;
use super::{App, body};

/// Settings are short.
const BODY_BYTES_MAX: usize = 10_000;
/// Jobs that a list shows, the latest of them.
const LISTED_MAX: usize = 100;
const EPOCHS_MAX: u32 = 100;
/// Images that are normalised together: batches consist of so many, or several times that.
const BATCH_SIZE_STEP: u32 = 16;
const BATCH_SIZE_MAX: u32 = 256;
const LEARNING_RATE_MAX: f64 = 0.1;

/// What may be asked for; all of it optional.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Wanted {
    /// 1 to 100.
    #[serde(default = "default_epochs")]
    #[schema(default = 5, minimum = 1, maximum = 100)]
    epochs: u32,
    /// A multiple of 16.
    #[serde(default = "default_batch_size")]
    #[schema(default = 32, minimum = 16, maximum = 256, multiple_of = 16)]
    batch_size: u32,
    #[serde(default = "default_learning_rate")]
    #[schema(default = 1e-4, exclusive_minimum = 0, maximum = 0.1)]
    learning_rate: f64,
}

#[derive(Serialize, ToSchema)]
pub(crate) struct Started {
    job_id: String,
    status: &'static str,
    message: &'static str,
}

#[derive(Serialize, ToSchema)]
pub(crate) struct JobList {
    total_jobs: u64,
    #[schema(value_type = HashMap<String, JobStatus>)]
    jobs: JobsById,
}

/// The latest first.
struct JobsById(Vec<JobStatus>);

/// A job as clients see it.
#[derive(Serialize, ToSchema)]
pub(crate) struct JobStatus {
    job_id: String,
    status: &'static str,
    /// 0 to 100.
    progress: u32,
    /// On held-out images, 0.0 to 1.0.
    accuracy: Option<f64>,
    loss: Option<f64>,
    model_version: Option<String>,
    /// What came of it; or, while it runs, what holds it up.
    message: Option<String>,
    epochs: u32,
    batch_size: u32,
    learning_rate: f64,
    created_at: String,
    started_at: Option<String>,
    completed_at: Option<String>,
    error: Option<String>,
}

#[derive(Serialize, ToSchema)]
pub(crate) struct Cancelled {
    job_id: String,
    status: &'static str,
    message: &'static str,
}

fn default_epochs() -> u32 {
    5
}

fn default_batch_size() -> u32 {
    32
}

fn default_learning_rate() -> f64 {
    1e-4
}

/// Has the model learn from uploads and base images, in the background. An equal job that
/// waits already serves this request too: it will see every image that is there now.
#[utoipa::path(post, path = "/retrain", tag = "Retraining", request_body = Option<Wanted>,
    responses((status = 200, body = Started), (status = "4XX", body = Problem), (status = 503, body = Problem)))]
pub(crate) async fn retrain(
    State(app): State<Arc<App>>,
    request: Request,
) -> Result<Json<Started>, ApiError> {
    if !app.can_retrain {
        body::discard(request.into_body());
        return Err(ApiError::NoBase);
    }
    let body = body::collect(&app, request.into_body(), BODY_BYTES_MAX).await?;
    let settings = settings_in(&body.bytes).map_err(ApiError::Settings)?;
    let waiting_max = app.waiting_jobs_max;
    let requested = ask(&app.store, move |store| {
        store.request_job(settings, waiting_max, Timestamp::now())
    });
    let (job, status, message) = match requested.await? {
        Requested::Created(job) => (job, "started", "Retraining job enqueued"),
        Requested::Joined(job) => (
            job,
            "queued",
            "An equal job waits already, and does for this request too",
        ),
        Requested::Full => return Err(ApiError::TooManyJobs(waiting_max)),
    };
    app.retraining.wake();
    Ok(Json(Started {
        job_id: job.id,
        status,
        message,
    }))
}

/// The latest 100 jobs, the latest first.
#[utoipa::path(get, path = "/retrain_jobs", tag = "Retraining", responses((status = 200, body = JobList)))]
pub(crate) async fn jobs(State(app): State<Arc<App>>) -> Result<Json<JobList>, ApiError> {
    let (total_jobs, jobs) = ask(&app.store, |store| store.latest_jobs(LISTED_MAX)).await?;
    Ok(Json(JobList {
        total_jobs,
        jobs: JobsById(jobs.into_iter().map(|job| shown(&app, job)).collect()),
    }))
}

/// How a job stands.
#[utoipa::path(get, path = "/retrain_status/{job_id}", tag = "Retraining", params(("job_id" = String, Path)),
    responses((status = 200, body = JobStatus), (status = 404, body = Problem)))]
pub(crate) async fn status(
    State(app): State<Arc<App>>,
    Named(id): Named,
) -> Result<Json<JobStatus>, ApiError> {
    let wanted = id.clone();
    let job = ask(&app.store, move |store| store.job(&wanted)).await?;
    let job = job.ok_or(ApiError::UnknownJob(id))?;
    Ok(Json(shown(&app, job)))
}

/// Ends a job that waits or runs.
#[utoipa::path(post, path = "/retrain_jobs/{job_id}/cancel", tag = "Retraining", params(("job_id" = String, Path)),
    responses((status = 200, body = Cancelled), (status = 404, body = Problem), (status = 409, body = Problem)))]
pub(crate) async fn cancel(
    State(app): State<Arc<App>>,
    Named(id): Named,
    request: Request,
) -> Result<Json<Cancelled>, ApiError> {
    body::discard(request.into_body());
    let wanted = id.clone();
    let asked = ask(&app.store, move |store| {
        store.cancel_job(&wanted, Timestamp::now())
    });
    let (status, message) = match asked.await? {
        Cancel::Cancelled => ("cancelled", "The job waited, and will not run"),
        Cancel::Asked => ("running", "The job will end soon"),
        Cancel::Unknown => return Err(ApiError::UnknownJob(id)),
        Cancel::Ended(status) => {
            let status = status.name();
            return Err(ApiError::JobEnded { id, status });
        }
    };
    app.retraining.wake();
    Ok(Json(Cancelled {
        job_id: id,
        status,
        message,
    }))
}

/// With what holds it up now, if this process runs it and something does.
fn shown(app: &App, job: Job) -> JobStatus {
    let delay = app.retraining.delay_of(&job.id);
    let status = JobStatus::from(job);
    JobStatus {
        message: status.message.or(delay),
        ..status
    }
}

/// Nothing at all means the defaults.
fn settings_in(body: &Bytes) -> Result<JobSettings, String> {
    let text = body.trim_ascii();
    let text: &[u8] = if text.is_empty() { b"{}" } else { text };
    if text[0] != b'{' {
        return Err("expected a JSON object".to_owned());
    }
    let wanted: Wanted = serde_json::from_slice(text).map_err(|error| error.to_string())?;
    let Wanted {
        epochs,
        batch_size,
        learning_rate,
    } = wanted;
    if !(1..=EPOCHS_MAX).contains(&epochs) {
        return Err(format!("epochs is {epochs}, expected 1 to {EPOCHS_MAX}"));
    }
    let step = BATCH_SIZE_STEP;
    if !(step..=BATCH_SIZE_MAX).contains(&batch_size) || !batch_size.is_multiple_of(step) {
        return Err(format!(
            "batch_size is {batch_size}, expected a multiple of {step} up to {BATCH_SIZE_MAX}"
        ));
    }
    if !(learning_rate > 0.0 && learning_rate <= LEARNING_RATE_MAX) {
        return Err(format!(
            "learning_rate is {learning_rate}, expected above 0 and at most {LEARNING_RATE_MAX}"
        ));
    }
    Ok(JobSettings {
        epochs,
        batch_size,
        learning_rate,
    })
}

impl Serialize for JobsById {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(Some(self.0.len()))?;
        for job in &self.0 {
            map.serialize_entry(&job.job_id, job)?;
        }
        map.end()
    }
}

impl From<Job> for JobStatus {
    fn from(job: Job) -> JobStatus {
        JobStatus {
            job_id: job.id,
            status: job.status.name(),
            progress: job.progress,
            accuracy: job.figures.accuracy,
            loss: job.figures.loss,
            model_version: job.model_version,
            message: job.message,
            epochs: job.settings.epochs,
            batch_size: job.settings.batch_size,
            learning_rate: job.settings.learning_rate,
            created_at: job.created_at,
            started_at: job.started_at,
            completed_at: job.completed_at,
            error: job.error,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(body: &str) -> Result<JobSettings, String> {
        settings_in(&Bytes::copy_from_slice(body.as_bytes()))
    }

    #[test]
    fn everything_has_a_default() {
        let defaults = JobSettings {
            epochs: 5,
            batch_size: 32,
            learning_rate: 1e-4,
        };
        for body in [
            "",
            " \n",
            "{}",
            r#"{"epochs":5,"batch_size":32,"learning_rate":1e-4}"#,
        ] {
            assert_eq!(read(body), Ok(defaults), "{body}");
        }
        assert_eq!(read(r#"{"epochs":1}"#).unwrap().epochs, 1);
    }

    #[test]
    fn senseless_settings_say_what_is_wrong() {
        for (body, expected) in [
            (r#"{"epochs":0}"#, "epochs is 0, expected 1 to 100"),
            (r#"{"epochs":-1}"#, "invalid value: integer `-1`"),
            (r#"{"epochs":1000000000}"#, "epochs is 1000000000"),
            (r#"{"epochs":2.5}"#, "invalid type: floating point"),
            (r#"{"epochs":"5"}"#, "invalid type: string"),
            (r#"{"epochs":null}"#, "invalid type: null"),
            (r#"{"epochs":1,"epochs":2}"#, "duplicate field `epochs`"),
            (r#"{"epoch":1}"#, "unknown field `epoch`"),
            (r#"{"learning_rate":NaN}"#, "expected value"),
            (r#"{"learning_rate":1e999}"#, "number out of range"),
            (r#"{"learning_rate":0}"#, "learning_rate is 0"),
            (r#"{"learning_rate":-1e-4}"#, "learning_rate is -0.0001"),
            (r#"{"batch_size":20}"#, "a multiple of 16"),
            (r#"{"batch_size":0}"#, "a multiple of 16"),
            ("[5,32,1e-4]", "expected a JSON object"),
            ("{", "EOF while parsing"),
            ("{} {}", "trailing characters"),
        ] {
            let error = read(body).unwrap_err();
            assert!(error.contains(expected), "{body}: {error}");
        }
    }
}
