//! Model versions: the file, its figures, and which of them serves.

use jiff::Timestamp;

use crate::error::StoreError;
use crate::objects::hash;
use crate::records::{Row, Sql, values};
use crate::store::{Store, timestamp};

/// Retrained versions that are kept, the latest of them; the one that serves, and those that
/// came as files, are kept besides.
const RETRAINED_MAX: usize = 10;

const COLUMNS: &str = "version, hash, key, job_id, accuracy, evaluation, serving, created_at";

/// The folder of models, below the store's.
pub(crate) const MODEL_FOLDER: &str = "models";

/// A model on its way into the store.
#[derive(Clone, Copy, Debug)]
pub struct NewModel<'a> {
    /// The model file.
    pub content: &'a [u8],
    /// Share of held-out images judged right, 0.0 to 1.0.
    pub accuracy: Option<f64>,
    /// Its whole evaluation, as JSON.
    pub evaluation: Option<&'a str>,
    /// The name that it would like, if that is free.
    pub version: Option<&'a str>,
}

/// A model in the store.
#[derive(Clone, Debug, PartialEq)]
pub struct ModelVersion {
    /// Such as `v2`.
    pub version: String,
    /// SHA-256 of the file, 64 hexadecimal digits.
    pub hash: String,
    /// Where the file is, below the store's folder.
    pub key: String,
    /// The job that made it; `None` for one that came as a file.
    pub job_id: Option<String>,
    /// Share of held-out images judged right, 0.0 to 1.0.
    pub accuracy: Option<f64>,
    /// Its whole evaluation, as JSON.
    pub evaluation: Option<String>,
    /// Whether this one answers predictions.
    pub serving: bool,
    /// When it came, such as `2025-11-22T21:26:23Z`.
    pub created_at: String,
}

impl NewModel<'_> {
    pub(crate) fn key(&self) -> String {
        format!("{MODEL_FOLDER}/{}.model", hash(self.content))
    }
}

impl Store {
    /// The version to serve, when a service starts with the model file `model`: a file
    /// that was never seen here becomes a version, and serves; otherwise whatever
    /// served last still does.
    ///
    /// # Errors
    ///
    /// As of [`StoreError`].
    pub fn adopt_model(
        &self,
        model: &NewModel<'_>,
        now: Timestamp,
    ) -> Result<ModelVersion, StoreError> {
        self.objects.put(&model.key(), model.content)?;
        self.records.write(|sql| {
            let known = "SELECT 1 FROM models WHERE hash = ?1";
            if sql.row(known, values![hash(model.content)])?.is_none() {
                insert_model(sql, model, None, now)?;
            }
            Ok(())
        })?;
        let serving = self.serving_model()?;
        serving.ok_or_else(|| StoreError::UnknownVersion("that serves".to_owned()))
    }

    /// The version that serves.
    ///
    /// # Errors
    ///
    /// [`StoreError::Database`].
    pub fn serving_model(&self) -> Result<Option<ModelVersion>, StoreError> {
        self.records.read(serving)
    }

    /// Every version that is kept, the latest first.
    ///
    /// # Errors
    ///
    /// [`StoreError::Database`].
    pub fn model_versions(&self) -> Result<Vec<ModelVersion>, StoreError> {
        let all = format!("SELECT {COLUMNS} FROM models ORDER BY number DESC");
        let rows = self.records.read(|sql| sql.rows(&all, &[]))?;
        rows.iter().map(read_model).collect()
    }

    /// The name that the next retrained version will have, if no other comes first.
    ///
    /// # Errors
    ///
    /// [`StoreError::Database`].
    pub fn next_version(&self) -> Result<String, StoreError> {
        self.records.read(|sql| free_version(sql, None))
    }

    /// Makes `version` the one that serves.
    ///
    /// # Errors
    ///
    /// [`StoreError::UnknownVersion`].
    pub fn serve_version(&self, version: &str) -> Result<ModelVersion, StoreError> {
        let wanted = format!("SELECT {COLUMNS} FROM models WHERE version = ?1");
        self.records.write(|sql| {
            let known = sql.row(&wanted, values![version])?;
            let known = known.ok_or_else(|| StoreError::UnknownVersion(version.to_owned()))?;
            make_serve(sql, version)?;
            Ok(ModelVersion {
                serving: true,
                ..read_model(&known)?
            })
        })
    }

    /// The bytes of a version's file.
    ///
    /// # Errors
    ///
    /// [`StoreError::File`].
    pub fn model_content(&self, model: &ModelVersion) -> Result<Vec<u8>, StoreError> {
        self.objects.get(&model.key)
    }

    /// Keeps as many retrained versions as may be.
    pub(crate) fn remove_oldest_models(&self) -> Result<(), StoreError> {
        let removed = self.records.write(|sql| {
            sql.rows(
                "DELETE FROM models WHERE job_id IS NOT NULL AND serving = 0 AND number NOT IN (
                    SELECT number FROM models WHERE job_id IS NOT NULL
                    ORDER BY number DESC LIMIT ?1
                 ) RETURNING key",
                values![RETRAINED_MAX],
            )
        })?;
        for row in removed {
            self.remove_unless_named(&row.get::<String>("key")?)?;
        }
        Ok(())
    }

    /// Removes the file `key` that no version has.
    pub(crate) fn remove_unless_named(&self, key: &str) -> Result<(), StoreError> {
        let named = "SELECT 1 FROM models WHERE key = ?1";
        if self
            .records
            .read(|sql| sql.row(named, values![key]))?
            .is_none()
        {
            self.objects.remove(key);
        }
        Ok(())
    }
}

/// The version that serves.
pub(crate) fn serving(sql: &mut dyn Sql) -> Result<Option<ModelVersion>, StoreError> {
    let serving = format!("SELECT {COLUMNS} FROM models WHERE serving = 1");
    let row = sql.row(&serving, &[])?;
    row.as_ref().map(read_model).transpose()
}

/// Lists a model under a free name, and makes it serve.
pub(crate) fn insert_model(
    sql: &mut dyn Sql,
    model: &NewModel<'_>,
    job_id: Option<&str>,
    now: Timestamp,
) -> Result<String, StoreError> {
    let version = free_version(sql, model.version)?;
    sql.execute(
        "INSERT INTO models (version, hash, key, job_id, accuracy, evaluation, created_at)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)",
        values![
            &version,
            hash(model.content),
            model.key(),
            job_id,
            model.accuracy,
            model.evaluation,
            timestamp(now),
        ],
    )?;
    make_serve(sql, &version)?;
    Ok(version)
}

fn make_serve(sql: &mut dyn Sql, version: &str) -> Result<(), StoreError> {
    sql.execute("UPDATE models SET serving = 0 WHERE serving = 1", &[])?;
    let chosen = "UPDATE models SET serving = 1 WHERE version = ?1";
    sql.execute(chosen, values![version])?;
    Ok(())
}

/// `wanted` if no version has that name, or else one more than the highest number.
/// The table jobs remembers the numbers of versions that were removed.
fn free_version(sql: &mut dyn Sql, wanted: Option<&str>) -> Result<String, StoreError> {
    let rows = sql.rows(
        "SELECT version FROM models
         UNION SELECT model_version AS version FROM jobs WHERE model_version IS NOT NULL",
        &[],
    )?;
    let taken: Vec<String> = rows
        .iter()
        .map(|row| row.get("version"))
        .collect::<Result<_, _>>()?;
    if let Some(wanted) = wanted.filter(|wanted| !taken.iter().any(|version| version == wanted)) {
        return Ok(wanted.to_owned());
    }
    let numbers = taken
        .iter()
        .filter_map(|version| version.strip_prefix('v')?.parse::<u64>().ok());
    Ok(format!("v{}", numbers.max().unwrap_or(0) + 1))
}

fn read_model(row: &Row) -> Result<ModelVersion, StoreError> {
    Ok(ModelVersion {
        version: row.get("version")?,
        hash: row.get("hash")?,
        key: row.get("key")?,
        job_id: row.get("job_id")?,
        accuracy: row.get("accuracy")?,
        evaluation: row.get("evaluation")?,
        serving: row.get("serving")?,
        created_at: row.get("created_at")?,
    })
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::job::{Figures, JobSettings, Outcome};
    use crate::testing::places;

    const LEASE: Duration = Duration::from_secs(60);
    const SETTINGS: JobSettings = JobSettings {
        epochs: 1,
        batch_size: 16,
        learning_rate: 1e-3,
    };

    fn file<'a>(content: &'a [u8], version: &'a str) -> NewModel<'a> {
        NewModel {
            content,
            accuracy: Some(0.9),
            evaluation: None,
            version: Some(version),
        }
    }

    fn adopt(store: &Store, content: &[u8], version: &str) -> String {
        let model = file(content, version);
        store
            .adopt_model(&model, Timestamp::UNIX_EPOCH)
            .unwrap()
            .version
    }

    /// Runs a job whose model is accepted.
    fn retrain(store: &Store, content: &[u8]) -> String {
        let now = Timestamp::UNIX_EPOCH;
        store.request_job(SETTINGS, 1, now).unwrap();
        let job = store.start_next_job("a", LEASE, now).unwrap().unwrap();
        let serving = store.serving_model().unwrap().unwrap().version;
        let outcome = Outcome::Accepted {
            model: NewModel {
                version: None,
                ..file(content, "")
            },
            in_place_of: &serving,
            message: String::new(),
        };
        let version = store.finish_job(&job.id, "a", &outcome, Figures::default(), now);
        version.unwrap().unwrap()
    }

    #[test]
    fn a_new_file_serves_and_a_known_one_leaves_things_as_they_are() {
        for place in places() {
            let store = place.open();
            assert_eq!(adopt(&store, b"shipped", "v1"), "v1");
            assert_eq!(retrain(&store, b"retrained"), "v2");
            assert_eq!(adopt(&store, b"shipped", "v1"), "v2");
            store.serve_version("v1").unwrap();
            assert_eq!(adopt(&store, b"shipped", "v1"), "v1");
            assert_eq!(adopt(&store, b"other file, same name", "v1"), "v3");
            let error = store.serve_version("v9").unwrap_err();
            assert_eq!(error.to_string(), "there is no model version \"v9\"");
        }
    }

    #[test]
    fn a_version_that_was_chosen_while_a_job_ran_is_not_overruled_by_its_result() {
        for place in places() {
            // The choice is made at another replica.
            let (store, other) = (place.open(), place.open());
            adopt(&store, b"shipped", "v1");
            assert_eq!(retrain(&store, b"retrained"), "v2");
            let now = Timestamp::UNIX_EPOCH;
            store.request_job(SETTINGS, 1, now).unwrap();
            let job = store.start_next_job("a", LEASE, now).unwrap().unwrap();
            other.serve_version("v1").unwrap();
            let result = Outcome::Accepted {
                model: file(b"result", ""),
                in_place_of: "v2",
                message: String::new(),
            };
            let files = || std::fs::read_dir(place.folder().join("models")).unwrap();
            let before = files().count();
            let late = store.finish_job(&job.id, "a", &result, Figures::default(), now);
            assert!(
                matches!(&late, Err(StoreError::OtherServes(chosen)) if chosen == "v1"),
                "{late:?}"
            );
            assert_eq!(store.serving_model().unwrap().unwrap().version, "v1");
            assert_eq!(
                files().count(),
                before,
                "a file that nobody names is removed"
            );
            let why = Outcome::Rejected {
                message: "v1 stays".to_owned(),
            };
            let ended = store.finish_job(&job.id, "a", &why, Figures::default(), now);
            assert_eq!(ended.unwrap(), None, "the job was still this runner's");
        }
    }

    #[test]
    fn old_retrained_versions_make_room_and_their_names_are_not_given_again() {
        for place in places() {
            let store = place.open();
            adopt(&store, b"shipped", "v1");
            for i in 0..20_u8 {
                assert_eq!(retrain(&store, &[i]), format!("v{}", i + 2));
            }
            let versions: Vec<String> = store
                .model_versions()
                .unwrap()
                .into_iter()
                .map(|model| model.version)
                .collect();
            let expected: Vec<String> = (12..=21)
                .rev()
                .chain([1])
                .map(|n| format!("v{n}"))
                .collect();
            assert_eq!(versions, expected);
            let files = std::fs::read_dir(place.folder().join("models")).unwrap();
            assert_eq!(files.count(), 11);
        }
    }
}
