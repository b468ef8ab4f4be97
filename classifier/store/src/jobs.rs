//! Retraining jobs in the store, as those who ask for them see them.

use jiff::Timestamp;

use crate::error::StoreError;
use crate::job::{Cancel, Figures, Job, JobSettings, JobStatus, Requested};
use crate::records::{Row, Sql, values};
use crate::store::{Store, timestamp};

/// Jobs that have ended are remembered up to this many, the latest of them.
const ENDED_MAX: i64 = 1_000;

pub(crate) const COLUMNS: &str = "id, status, epochs, batch_size, learning_rate, progress, accuracy, loss, \
    model_version, message, error, cancel_requested, created_at, started_at, completed_at";

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

pub(crate) fn read_job(row: &Row) -> Result<Job, StoreError> {
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
pub(crate) mod tests {
    use std::time::Duration;

    use super::*;
    use crate::job::Outcome;
    use crate::testing::places;

    pub(crate) const LEASE: Duration = Duration::from_secs(60);
    const SETTINGS: JobSettings = JobSettings {
        epochs: 5,
        batch_size: 32,
        learning_rate: 1e-4,
    };

    pub(crate) fn now() -> Timestamp {
        "2025-11-22T21:26:18Z".parse().unwrap()
    }

    pub(crate) fn ask(store: &Store, epochs: u32) -> Requested {
        let settings = JobSettings { epochs, ..SETTINGS };
        store.request_job(settings, 2, now()).unwrap()
    }

    pub(crate) fn start(store: &Store) -> Option<Job> {
        store.start_next_job("a", LEASE, now()).unwrap()
    }

    pub(crate) fn created(requested: Requested) -> Job {
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
}
