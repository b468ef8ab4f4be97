//! Retraining jobs in the store, as whoever runs them sees them: taken, running one at a time, done.
//!
//! Whoever takes a job is its *runner*, by a lease that it renews. A runner that is silent for
//! longer is taken for dead, and its job for interrupted; should it still live, it learns so, and
//! can change nothing any more.

use std::time::Duration;

use jiff::Timestamp;

use crate::error::StoreError;
use crate::job::{Figures, Job, Lease, Outcome};
use crate::jobs::{COLUMNS, read_job};
use crate::models::{insert_model, serving};
use crate::records::values;
use crate::store::{Store, timestamp};

/// What becomes of a job whose runner is gone.
const RUNNER_GONE: &str = "the service ended while this job ran; ask for it again";

impl Store {
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
    /// [`StoreError::OtherServes`] when the version that an accepted model was compared with serves no
    /// longer. [`StoreError::LeaseLost`] when the job was taken from `runner`. As of [`StoreError`]
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
        let written = self.records.write(|sql| {
            let version = match outcome {
                Outcome::Accepted {
                    model, in_place_of, ..
                } => {
                    match serving(sql)? {
                        Some(chosen) if chosen.version != *in_place_of => {
                            return Err(StoreError::OtherServes(chosen.version));
                        }
                        _ => {}
                    }
                    Some(insert_model(sql, model, Some(id), now)?)
                }
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
        });
        if let (Err(StoreError::OtherServes(_)), Outcome::Accepted { model, .. }) =
            (&written, outcome)
        {
            self.remove_unless_named(&model.key())?;
        }
        let version = written?;
        self.remove_oldest_models()?;
        Ok(version)
    }
}

fn until(now_ms: i64, lease: Duration) -> i64 {
    now_ms.saturating_add(lease.as_millis().try_into().unwrap_or(i64::MAX))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::job::JobStatus;
    use crate::jobs::tests::{LEASE, ask, created, now, start};
    use crate::testing::places;

    const OVER: Duration = Duration::ZERO;

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
            let late = Outcome::Accepted {
                model,
                in_place_of: "v1",
                message,
            };
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
