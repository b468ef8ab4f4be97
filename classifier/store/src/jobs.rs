//! Retraining jobs in the store: asked for, waiting, running one at a time, done.

use jiff::Timestamp;
use rusqlite::{OptionalExtension, Row, Transaction, params};

use crate::error::StoreError;
use crate::job::{Cancel, Figures, Job, JobSettings, JobStatus, Outcome, Requested};
use crate::models::insert_model;
use crate::store::{Store, timestamp};

/// Jobs that have ended are remembered up to this many, the latest of them.
const ENDED_MAX: u64 = 1_000;

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
        self.records.write(|transaction| {
            if let Some(job) = equal_waiting(transaction, settings)? {
                return Ok(Requested::Joined(job));
            }
            let waiting: usize = transaction.query_one(
                "SELECT COUNT(*) FROM jobs WHERE status = 'queued'",
                [],
                |row| row.get(0),
            )?;
            if waiting >= waiting_max {
                return Ok(Requested::Full);
            }
            let id = free_id(transaction, now)?;
            transaction.execute(
                "INSERT INTO jobs (id, status, epochs, batch_size, learning_rate, created_at)
                 VALUES (?1, 'queued', ?2, ?3, ?4, ?5)",
                params![
                    id,
                    settings.epochs,
                    settings.batch_size,
                    settings.learning_rate,
                    timestamp(now),
                ],
            )?;
            forget_oldest(transaction)?;
            let job = find(transaction, &id)?.expect("it was inserted just now");
            Ok(Requested::Created(job))
        })
    }

    /// The job called `id`.
    ///
    /// # Errors
    ///
    /// [`StoreError::Database`].
    pub fn job(&self, id: &str) -> Result<Option<Job>, StoreError> {
        Ok(find(&self.records.reader(), id)?)
    }

    /// How many jobs are remembered, and the latest `count` of them, the latest first.
    ///
    /// # Errors
    ///
    /// [`StoreError::Database`].
    pub fn latest_jobs(&self, count: usize) -> Result<(u64, Vec<Job>), StoreError> {
        let reader = self.records.reader();
        let total = reader.query_one("SELECT COUNT(*) FROM jobs", [], |row| row.get(0))?;
        let mut query =
            reader.prepare_cached("SELECT * FROM jobs ORDER BY number DESC LIMIT ?1")?;
        let jobs = query.query_map([count], read_job)?;
        Ok((total, jobs.collect::<Result<_, _>>()?))
    }

    /// Takes the job that waits longest, which runs from now on. Only the one process
    /// that runs jobs may call this, and only while none runs.
    ///
    /// # Errors
    ///
    /// [`StoreError::Database`].
    pub fn start_next_job(&self, now: Timestamp) -> Result<Option<Job>, StoreError> {
        let waits: bool = self.records.reader().query_one(
            "SELECT EXISTS (SELECT 1 FROM jobs WHERE status = 'queued')",
            [],
            |row| row.get(0),
        )?;
        if !waits {
            return Ok(None);
        }
        self.records.write(|transaction| {
            let row = transaction.query_one(
                "UPDATE jobs SET status = 'running', started_at = ?1 WHERE number =
                    (SELECT MIN(number) FROM jobs WHERE status = 'queued') RETURNING *",
                [timestamp(now)],
                read_job,
            );
            Ok(row.optional()?)
        })
    }

    /// Notes how far the running job `id` is.
    ///
    /// # Errors
    ///
    /// [`StoreError::Database`].
    pub fn note_progress(
        &self,
        id: &str,
        progress: u32,
        figures: Figures,
    ) -> Result<(), StoreError> {
        self.records.write(|transaction| {
            transaction.execute(
                "UPDATE jobs SET progress = ?2, accuracy = COALESCE(?3, accuracy),
                    loss = COALESCE(?4, loss) WHERE id = ?1 AND status = 'running'",
                params![id, progress.min(99), figures.accuracy, figures.loss],
            )?;
            Ok(())
        })
    }

    /// Ends the running job `id`. An accepted model is stored, listed and served, and the job
    /// completed, in one step: a crash leaves all of it done or none. Returns the
    /// version of an accepted model.
    ///
    /// # Errors
    ///
    /// As of [`StoreError`]; the job then still runs.
    pub fn finish_job(
        &self,
        id: &str,
        outcome: &Outcome<'_>,
        figures: Figures,
        now: Timestamp,
    ) -> Result<Option<String>, StoreError> {
        if let Outcome::Accepted { model, .. } = outcome {
            self.objects.put(&model.key(), model.content)?;
        }
        let version = self.records.write(|transaction| {
            let version = match outcome {
                Outcome::Accepted { model, .. } => {
                    Some(insert_model(transaction, model, Some(id), now)?)
                }
                _ => None,
            };
            let (status, message, error) = outcome.record();
            transaction.execute(
                "UPDATE jobs SET status = ?2, message = ?3, error = ?4, model_version = ?5,
                    completed_at = ?6, accuracy = COALESCE(?7, accuracy), loss = COALESCE(?8, loss),
                    progress = CASE ?2 WHEN 'completed' THEN 100 ELSE progress END
                 WHERE id = ?1 AND status = 'running'",
                params![
                    id,
                    status.name(),
                    message,
                    error,
                    version,
                    timestamp(now),
                    figures.accuracy,
                    figures.loss,
                ],
            )?;
            Ok(version)
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
        self.records.write(|transaction| {
            let Some(job) = find(transaction, id)? else {
                return Ok(Cancel::Unknown);
            };
            match job.status {
                JobStatus::Queued => {
                    transaction.execute(
                        "UPDATE jobs SET status = 'cancelled', completed_at = ?2 WHERE id = ?1",
                        params![id, timestamp(now)],
                    )?;
                    Ok(Cancel::Cancelled)
                }
                JobStatus::Running => {
                    let sql = "UPDATE jobs SET cancel_requested = 1 WHERE id = ?1";
                    transaction.execute(sql, [id])?;
                    Ok(Cancel::Asked)
                }
                ended => Ok(Cancel::Ended(ended)),
            }
        })
    }

    /// Marks jobs that run as interrupted: for the process that runs jobs, when it
    /// begins to, since whoever ran them is gone. Returns how many there were.
    ///
    /// # Errors
    ///
    /// [`StoreError::Database`].
    pub fn interrupt_running_jobs(
        &self,
        why: &'static str,
        now: Timestamp,
    ) -> Result<usize, StoreError> {
        self.records.write(|transaction| {
            let changed = transaction.execute(
                "UPDATE jobs SET status = 'interrupted', error = ?1, completed_at = ?2
                 WHERE status = 'running'",
                params![why, timestamp(now)],
            )?;
            Ok(changed)
        })
    }
}

fn equal_waiting(
    transaction: &Transaction<'_>,
    settings: JobSettings,
) -> rusqlite::Result<Option<Job>> {
    let job = transaction.query_one(
        "SELECT * FROM jobs WHERE status = 'queued' AND epochs = ?1 AND batch_size = ?2
            AND learning_rate = ?3",
        params![settings.epochs, settings.batch_size, settings.learning_rate],
        read_job,
    );
    job.optional()
}

/// A name after the second in which the job was asked for, and a number if that is taken.
fn free_id(transaction: &Transaction<'_>, now: Timestamp) -> rusqlite::Result<String> {
    let second = now.strftime("%Y%m%d_%H%M%S");
    let plain = format!("retrain_{second}");
    let mut query =
        transaction.prepare_cached("SELECT EXISTS (SELECT 1 FROM jobs WHERE id = ?1)")?;
    let mut taken = |id: &str| query.query_one([id], |row| row.get::<_, bool>(0));
    if !taken(&plain)? {
        return Ok(plain);
    }
    for number in 2_u32.. {
        let id = format!("{plain}_{number}");
        if !taken(&id)? {
            return Ok(id);
        }
    }
    unreachable!("fewer jobs than numbers are remembered")
}

fn forget_oldest(transaction: &Transaction<'_>) -> rusqlite::Result<()> {
    transaction.execute(
        "DELETE FROM jobs WHERE status NOT IN ('queued', 'running') AND number <=
            (SELECT MAX(number) FROM jobs) - ?1",
        [ENDED_MAX],
    )?;
    Ok(())
}

fn find(connection: &rusqlite::Connection, id: &str) -> rusqlite::Result<Option<Job>> {
    let mut query = connection.prepare_cached("SELECT * FROM jobs WHERE id = ?1")?;
    query.query_one([id], read_job).optional()
}

fn read_job(row: &Row<'_>) -> rusqlite::Result<Job> {
    let status: String = row.get("status")?;
    Ok(Job {
        id: row.get("id")?,
        status: JobStatus::ALL
            .into_iter()
            .find(|known| known.name() == status)
            .ok_or(rusqlite::Error::InvalidQuery)?,
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

    fn created(requested: Requested) -> Job {
        match requested {
            Requested::Created(job) => job,
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn equal_wishes_share_a_job_and_too_many_others_are_refused() {
        let folder = tempfile::tempdir().unwrap();
        let store = Store::open(folder.path()).unwrap();
        let first = created(ask(&store, 1));
        assert_eq!(first.id, "retrain_20251122_212618");
        assert_eq!(ask(&store, 1), Requested::Joined(first.clone()));
        let second = created(ask(&store, 2));
        assert_eq!(second.id, "retrain_20251122_212618_2");
        assert_eq!(ask(&store, 3), Requested::Full);
        let running = store.start_next_job(now()).unwrap().unwrap();
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

    #[test]
    fn a_job_ends_once() {
        let folder = tempfile::tempdir().unwrap();
        let store = Store::open(folder.path()).unwrap();
        let (first, second) = (created(ask(&store, 1)), created(ask(&store, 2)));
        store.start_next_job(now()).unwrap();
        let halfway = Figures {
            accuracy: Some(0.5),
            loss: None,
        };
        store.note_progress(&first.id, 50, halfway).unwrap();
        assert_eq!(store.cancel_job(&first.id, now()).unwrap(), Cancel::Asked);
        assert_eq!(
            store.cancel_job(&second.id, now()).unwrap(),
            Cancel::Cancelled
        );
        assert_eq!(store.cancel_job("x", now()).unwrap(), Cancel::Unknown);
        let none = Figures::default();
        store
            .finish_job(&first.id, &Outcome::Cancelled, none, now())
            .unwrap();
        store.note_progress(&first.id, 80, none).unwrap();
        let ended = store.job(&first.id).unwrap().unwrap();
        assert_eq!((ended.status, ended.progress), (JobStatus::Cancelled, 50));
        assert_eq!(ended.figures, halfway);
        let again = store.cancel_job(&first.id, now()).unwrap();
        assert_eq!(again, Cancel::Ended(JobStatus::Cancelled));
        assert_eq!(store.start_next_job(now()).unwrap(), None);
    }

    #[test]
    fn what_ran_when_the_service_died_is_interrupted_and_what_waited_still_does() {
        let folder = tempfile::tempdir().unwrap();
        let store = Store::open(folder.path()).unwrap();
        let (first, second) = (created(ask(&store, 1)), created(ask(&store, 2)));
        store.start_next_job(now()).unwrap();
        drop(store);
        let store = Store::open(folder.path()).unwrap();
        assert_eq!(store.interrupt_running_jobs("gone", now()).unwrap(), 1);
        let job = store.job(&first.id).unwrap().unwrap();
        assert_eq!(
            (job.status, job.error.as_deref()),
            (JobStatus::Interrupted, Some("gone"))
        );
        assert_eq!(store.start_next_job(now()).unwrap().unwrap().id, second.id);
    }
}
