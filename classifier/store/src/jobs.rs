//! Retraining jobs in the store: asked for, waiting, running one at a time, done.
//!
//! Whoever takes a job is its *runner*, by a lease that it renews. A runner that is silent for
//! longer is taken for dead, and its job for interrupted; should it still live, it learns so, and
//! can change nothing any more.

use std::time::Duration;

use jiff::Timestamp;

use crate::error::StoreError;
use crate::job::{Cancel, Figures, Job, JobSettings, JobStatus, Lease, Outcome, Requested};
use crate::models::insert_model;
use crate::records::{Row, Sql, values};
use crate::store::{Store, timestamp};

/// Jobs that have ended are remembered up to this many, the latest of them.
const ENDED_MAX: i64 = 1_000;

const COLUMNS: &str = "id, status, epochs, batch_size, learning_rate, progress, accuracy, loss, \
    model_version, message, error, cancel_requested, created_at, started_at, completed_at";

/// What becomes of a job whose runner is gone.
const RUNNER_GONE: &str = "the service ended while this job ran; ask for it again";

impl Store {
    /// Asks for a job, unless an equal one waits or `waiting_max` do.
    ///
    /// # Errors
    ///
    /// [`StoreError::Database`].
    pub fn request_job(
        &self,
        settings: JobSettings,
        waiting_max: usize,
        now: Timestamp,
    ) -> Result<Requested, StoreError> {
        self.records.write(|sql| {
            if let Some(job) = equal_waiting(sql, settings)? {
                return Ok(Requested::Joined(job));
            }
            let waiting = "SELECT id FROM jobs WHERE status = 'queued'";
            if sql.rows(waiting, &[])?.len() >= waiting_max {
                return Ok(Requested::Full);
            }
            let id = free_id(sql, now)?;
            sql.execute(
                "INSERT INTO jobs (id, status, epochs, batch_size, learning_rate, created_at)
                 VALUES (?1, 'queued', ?2, ?3, ?4, ?5)",
                values![
                    &id,
                    settings.epochs,
                    settings.batch_size,
                    settings.learning_rate,
                    timestamp(now),
                ],
            )?;
            forget_oldest(sql)?;
            let job = find(sql, &id)?.expect("it was inserted just now");
            Ok(Requested::Created(job))
        })
    }

    /// The job called `id`.
    ///
    /// # Errors
    ///
    /// [`StoreError::Database`].
    pub fn job(&self, id: &str) -> Result<Option<Job>, StoreError> {
        self.records.read(|sql| find(sql, id))
    }

    /// How many jobs are remembered, and the latest `count` of them, the latest first.
    ///
    /// # Errors
    ///
    /// [`StoreError::Database`].
    pub fn latest_jobs(&self, count: usize) -> Result<(u64, Vec<Job>), StoreError> {
        let latest = format!("SELECT {COLUMNS} FROM jobs ORDER BY number DESC LIMIT ?1");
        self.records.read(|sql| {
            let total = sql.row("SELECT COUNT(*) AS total FROM jobs", &[])?;
            let total = total.map_or(Ok(0), |row| row.get("total"))?;
            let rows = sql.rows(&latest, values![count])?;
            let jobs = rows.iter().map(read_job);
            Ok((total, jobs.collect::<Result<_, _>>()?))
        })
    }

    /// Takes the job that waits longest, for `runner` to run, unless one runs. A job whose
    /// runner has not renewed its lease in time is interrupted first. The lease lasts
    /// for `lease`.
    ///
    /// # Errors
    ///
    /// [`StoreError::Database`].
    pub fn start_next_job(
        &self,
        runner: &str,
        lease: Duration,
        now: Timestamp,
    ) -> Result<Option<Job>, StoreError> {
        let open = "SELECT 1 FROM jobs WHERE status IN ('queued', 'running') LIMIT 1";
        if self.records.read(|sql| sql.row(open, &[]))?.is_none() {
            return Ok(None);
        }
        let start = format!(
            "UPDATE jobs SET status = 'running', started_at = ?1, runner = ?2, lease_until_ms = ?3
             WHERE number = (SELECT MIN(number) FROM jobs WHERE status = 'queued')
             RETURNING {COLUMNS}"
        );
        self.records.write(|sql| {
            let now_ms = sql.now_ms()?;
            sql.execute(
                "UPDATE jobs SET status = 'interrupted', error = ?1, completed_at = ?2
                 WHERE status = 'running' AND COALESCE(lease_until_ms, 0) <= ?3",
                values![RUNNER_GONE, timestamp(now), now_ms],
            )?;
            let running = "SELECT 1 FROM jobs WHERE status = 'running'";
            if sql.row(running, &[])?.is_some() {
                return Ok(None);
            }
            let until = until(now_ms, lease);
            let row = sql.row(&start, values![timestamp(now), runner, until])?;
            row.as_ref().map(read_job).transpose()
        })
    }

    /// Renews the lease of `runner` on the job `id`, for `lease` from now.
    ///
    /// # Errors
    ///
    /// [`StoreError::Database`].
    pub fn renew_lease(
        &self,
        id: &str,
        runner: &str,
        lease: Duration,
    ) -> Result<Lease, StoreError> {
        self.records.write(|sql| {
            let until = until(sql.now_ms()?, lease);
            let row = sql.row(
                "UPDATE jobs SET lease_until_ms = ?3
                 WHERE id = ?1 AND runner = ?2 AND status = 'running' RETURNING cancel_requested",
                values![id, runner, until],
            )?;
            Ok(match row {
                None => Lease::Lost,
                Some(row) if row.get("cancel_requested")? => Lease::CancelRequested,
                Some(_) => Lease::Held,
            })
        })
    }

    /// Notes how far the job `id` is; nothing happens unless `runner` runs it.
    ///
    /// # Errors
    ///
    /// [`StoreError::Database`].
    pub fn note_progress(
        &self,
        id: &str,
        runner: &str,
        progress: u32,
        figures: Figures,
    ) -> Result<(), StoreError> {
        self.records.write(|sql| {
            sql.execute(
                "UPDATE jobs SET progress = ?3, accuracy = COALESCE(?4, accuracy),
                    loss = COALESCE(?5, loss) WHERE id = ?1 AND runner = ?2 AND status = 'running'",
                values![id, runner, progress.min(99), figures.accuracy, figures.loss],
            )?;
            Ok(())
        })
    }

    /// Ends the job `id` that `runner` runs. An accepted model is stored, listed and served, and
    /// the job completed, in one step: a crash leaves all of it done or none. Returns the
    /// version of an accepted model.
    ///
    /// # Errors
    ///
    /// [`StoreError::LeaseLost`] when the job was taken from `runner`. As of [`StoreError`]
    /// besides; the job then still runs.
    pub fn finish_job(
        &self,
        id: &str,
        runner: &str,
        outcome: &Outcome<'_>,
        figures: Figures,
        now: Timestamp,
    ) -> Result<Option<String>, StoreError> {
        if let Outcome::Accepted { model, .. } = outcome {
            self.objects.put(&model.key(), model.content)?;
        }
        let version = self.records.write(|sql| {
            let version = match outcome {
                Outcome::Accepted { model, .. } => Some(insert_model(sql, model, Some(id), now)?),
                _ => None,
            };
            let (status, message, error) = outcome.record();
            let changed = sql.execute(
                "UPDATE jobs SET status = ?3, message = ?4, error = ?5, model_version = ?6,
                    completed_at = ?7, accuracy = COALESCE(?8, accuracy), loss = COALESCE(?9, loss),
                    progress = CASE WHEN ?3 = 'completed' THEN 100 ELSE progress END
                 WHERE id = ?1 AND runner = ?2 AND status = 'running'",
                values![
                    id,
                    runner,
                    status.name(),
                    message,
                    error,
                    version.as_deref(),
                    timestamp(now),
                    figures.accuracy,
                    figures.loss,
                ],
            )?;
            match changed {
                0 => Err(StoreError::LeaseLost(id.to_owned())),
                _ => Ok(version),
            }
        })?;
        self.remove_oldest_models()?;
        Ok(version)
    }

    /// Asks for the end of a job.
    ///
    /// # Errors
    ///
    /// [`StoreError::Database`].
    pub fn cancel_job(&self, id: &str, now: Timestamp) -> Result<Cancel, StoreError> {
        self.records.write(|sql| {
            let Some(job) = find(sql, id)? else {
                return Ok(Cancel::Unknown);
            };
            match job.status {
                JobStatus::Queued => {
                    sql.execute(
                        "UPDATE jobs SET status = 'cancelled', completed_at = ?2 WHERE id = ?1",
                        values![id, timestamp(now)],
                    )?;
                    Ok(Cancel::Cancelled)
                }
                JobStatus::Running => {
                    let asked = "UPDATE jobs SET cancel_requested = 1 WHERE id = ?1";
                    sql.execute(asked, values![id])?;
                    Ok(Cancel::Asked)
                }
                ended => Ok(Cancel::Ended(ended)),
            }
        })
    }
}

fn until(now_ms: i64, lease: Duration) -> i64 {
    now_ms.saturating_add(lease.as_millis().try_into().unwrap_or(i64::MAX))
}

fn equal_waiting(sql: &mut dyn Sql, settings: JobSettings) -> Result<Option<Job>, StoreError> {
    let equal = format!(
        "SELECT {COLUMNS} FROM jobs WHERE status = 'queued' AND epochs = ?1 AND batch_size = ?2
            AND learning_rate = ?3"
    );
    let row = sql.row(
        &equal,
        values![settings.epochs, settings.batch_size, settings.learning_rate],
    )?;
    row.as_ref().map(read_job).transpose()
}

/// A name after the second in which the job was asked for, and a number if that is taken.
fn free_id(sql: &mut dyn Sql, now: Timestamp) -> Result<String, StoreError> {
    let second = now.strftime("%Y%m%d_%H%M%S");
    let plain = format!("retrain_{second}");
    let mut id = plain.clone();
    for number in 2_u32.. {
        let taken = "SELECT 1 FROM jobs WHERE id = ?1";
        if sql.row(taken, values![&id])?.is_none() {
            return Ok(id);
        }
        id = format!("{plain}_{number}");
    }
    unreachable!("fewer jobs than numbers are remembered")
}

fn forget_oldest(sql: &mut dyn Sql) -> Result<(), StoreError> {
    sql.execute(
        "DELETE FROM jobs WHERE status NOT IN ('queued', 'running') AND number <=
            (SELECT MAX(number) FROM jobs) - ?1",
        values![ENDED_MAX],
    )?;
    Ok(())
}

fn find(sql: &mut dyn Sql, id: &str) -> Result<Option<Job>, StoreError> {
    let wanted = format!("SELECT {COLUMNS} FROM jobs WHERE id = ?1");
    let row = sql.row(&wanted, values![id])?;
    row.as_ref().map(read_job).transpose()
}

fn read_job(row: &Row) -> Result<Job, StoreError> {
    let status: String = row.get("status")?;
    let known = JobStatus::ALL
        .into_iter()
        .find(|known| known.name() == status);
    let unknown = || StoreError::Database(format!("unknown job status {status:?}").into());
    Ok(Job {
        id: row.get("id")?,
        status: known.ok_or_else(unknown)?,
        settings: JobSettings {
            epochs: row.get("epochs")?,
            batch_size: row.get("batch_size")?,
            learning_rate: row.get("learning_rate")?,
        },
        progress: row.get("progress")?,
        figures: Figures {
            accuracy: row.get("accuracy")?,
            loss: row.get("loss")?,
        },
        model_version: row.get("model_version")?,
        message: row.get("message")?,
        error: row.get("error")?,
        cancel_requested: row.get("cancel_requested")?,
        created_at: row.get("created_at")?,
        started_at: row.get("started_at")?,
        completed_at: row.get("completed_at")?,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::places;

    const LEASE: Duration = Duration::from_secs(60);
    const OVER: Duration = Duration::ZERO;
    const SETTINGS: JobSettings = JobSettings {
        epochs: 5,
        batch_size: 32,
        learning_rate: 1e-4,
    };

    fn now() -> Timestamp {
        "2025-11-22T21:26:18Z".parse().unwrap()
    }

    fn ask(store: &Store, epochs: u32) -> Requested {
        let settings = JobSettings { epochs, ..SETTINGS };
        store.request_job(settings, 2, now()).unwrap()
    }

    fn start(store: &Store) -> Option<Job> {
        store.start_next_job("a", LEASE, now()).unwrap()
    }

    fn created(requested: Requested) -> Job {
        match requested {
            Requested::Created(job) => job,
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn equal_wishes_share_a_job_and_too_many_others_are_refused() {
        for place in places() {
            let store = place.open();
            let first = created(ask(&store, 1));
            assert_eq!(first.id, "retrain_20251122_212618");
            assert_eq!(ask(&store, 1), Requested::Joined(first.clone()));
            let second = created(ask(&store, 2));
            assert_eq!(second.id, "retrain_20251122_212618_2");
            assert_eq!(ask(&store, 3), Requested::Full);
            let running = start(&store).unwrap();
            assert_eq!(
                (&running.id, running.status),
                (&first.id, JobStatus::Running)
            );
            // One that runs has begun with the images of then, so that an equal wish waits anew.
            created(ask(&store, 1));
            let (total, latest) = store.latest_jobs(2).unwrap();
            assert_eq!((total, latest.len()), (3, 2));
            assert_eq!(latest[1].id, second.id);
        }
    }

    #[test]
    fn a_job_ends_once() {
        for place in places() {
            let store = place.open();
            let (first, second) = (created(ask(&store, 1)), created(ask(&store, 2)));
            start(&store);
            let halfway = Figures {
                accuracy: Some(0.5),
                loss: None,
            };
            store.note_progress(&first.id, "a", 50, halfway).unwrap();
            assert_eq!(store.cancel_job(&first.id, now()).unwrap(), Cancel::Asked);
            assert_eq!(
                store.cancel_job(&second.id, now()).unwrap(),
                Cancel::Cancelled
            );
            assert_eq!(store.cancel_job("x", now()).unwrap(), Cancel::Unknown);
            let none = Figures::default();
            store
                .finish_job(&first.id, "a", &Outcome::Cancelled, none, now())
                .unwrap();
            store.note_progress(&first.id, "a", 80, none).unwrap();
            let ended = store.job(&first.id).unwrap().unwrap();
            assert_eq!((ended.status, ended.progress), (JobStatus::Cancelled, 50));
            assert_eq!(ended.figures, halfway);
            let again = store.cancel_job(&first.id, now()).unwrap();
            assert_eq!(again, Cancel::Ended(JobStatus::Cancelled));
            assert_eq!(start(&store), None);
        }
    }

    #[test]
    fn what_ran_when_the_service_died_is_interrupted_and_what_waited_still_does() {
        for place in places() {
            let store = place.open();
            let (first, second) = (created(ask(&store, 1)), created(ask(&store, 2)));
            store.start_next_job("a", OVER, now()).unwrap();
            drop(store);
            let store = place.open();
            let next = store.start_next_job("b", LEASE, now()).unwrap().unwrap();
            assert_eq!(next.id, second.id);
            let job = store.job(&first.id).unwrap().unwrap();
            assert_eq!(
                (job.status, job.error.as_deref()),
                (JobStatus::Interrupted, Some(RUNNER_GONE))
            );
        }
    }

    #[test]
    fn a_job_is_its_runners_while_the_lease_is_renewed_and_nobodys_twice() {
        for place in places() {
            let (store, other) = (place.open(), place.open());
            let job = created(ask(&store, 1));
            created(ask(&store, 2));
            let renew = |runner: &str, lease| store.renew_lease(&job.id, runner, lease).unwrap();
            assert_eq!(start(&store).unwrap().id, job.id);
            assert_eq!(other.start_next_job("b", LEASE, now()).unwrap(), None);
            assert_eq!(renew("b", LEASE), Lease::Lost);
            assert_eq!(renew("a", LEASE), Lease::Held);
            store.cancel_job(&job.id, now()).unwrap();
            assert_eq!(renew("a", OVER), Lease::CancelRequested);
            // Late, but nobody has taken it: the lease is renewed all the same.
            assert_eq!(renew("a", OVER), Lease::CancelRequested);
            let next = other.start_next_job("b", LEASE, now()).unwrap().unwrap();
            assert_ne!(next.id, job.id);
            assert_eq!(renew("a", LEASE), Lease::Lost);
            // What was taken for dead changes nothing any more: neither the job nor what serves.
            let model = crate::NewModel {
                content: b"late",
                accuracy: None,
                evaluation: None,
                version: None,
            };
            let message = String::new();
            let late = Outcome::Accepted { model, message };
            let error = store.finish_job(&job.id, "a", &late, Figures::default(), now());
            assert!(matches!(error, Err(StoreError::LeaseLost(_))), "{error:?}");
            assert_eq!(store.model_versions().unwrap(), []);
            let job = store.job(&job.id).unwrap().unwrap();
            assert_eq!(job.status, JobStatus::Interrupted);
        }
    }

    #[test]
    fn of_many_who_ask_at_once_one_gets_the_job() {
        for place in places() {
            let stores: Vec<Store> = (0..4).map(|_| place.open()).collect();
            created(ask(&stores[0], 1));
            created(ask(&stores[0], 2));
            let started: usize = std::thread::scope(|scope| {
                let threads: Vec<_> = stores
                    .iter()
                    .zip(["a", "b", "c", "d"])
                    .map(|(store, name)| {
                        scope.spawn(move || store.start_next_job(name, LEASE, now()).unwrap())
                    })
                    .collect();
                let jobs = threads.into_iter().map(|thread| thread.join().unwrap());
                jobs.flatten().count()
            });
            assert_eq!(started, 1);
        }
    }
}
