//! Flags of `classifier serve` about where it keeps things: in a folder, or where replicas on other
//! machines find them too.

use std::path::PathBuf;

use classifier_store::{BucketConfig, StoreConfig};

#[derive(clap::Args)]
pub(crate) struct PlaceArgs {
    /// Folder for uploads, model versions and the database, as far as they are not
    /// elsewhere; made if missing
    #[arg(long, value_name = "DIR", default_value = "data")]
    store: PathBuf,
    /// PostgreSQL database, such as postgresql://user:password@host/name [default: SQLite in the
    /// folder]
    #[arg(
        long,
        value_name = "URL",
        env = "CLASSIFIER_DATABASE",
        hide_env_values = true
    )]
    database: Option<String>,
    /// File of the authorities that the database's certificate is of, where its URL says
    /// sslmode=require [default: those that browsers trust]
    #[arg(
        long,
        value_name = "FILE",
        env = "CLASSIFIER_DATABASE_CA",
        requires = "database"
    )]
    database_ca: Option<PathBuf>,
    /// Bucket for uploads and model versions, such as s3://bucket/folder [default: the folder].
    /// Credentials are AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY and AWS_SESSION_TOKEN of the
    /// environment
    #[arg(long, value_name = "URL", env = "CLASSIFIER_OBJECTS")]
    objects: Option<String>,
    /// Where the bucket's store listens [default: Amazon S3]
    #[arg(
        long,
        value_name = "URL",
        env = "AWS_ENDPOINT_URL_S3",
        requires = "objects"
    )]
    s3_endpoint: Option<String>,
    /// The bucket's region
    #[arg(
        long,
        value_name = "NAME",
        env = "AWS_REGION",
        default_value = "us-east-1"
    )]
    s3_region: String,
}

/// Without what the database's address may have in it: a password.
impl std::fmt::Debug for PlaceArgs {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(out, "PlaceArgs({})", self.names())
    }
}

impl PlaceArgs {
    pub(crate) fn config(&self) -> StoreConfig {
        StoreConfig {
            folder: self.store.clone(),
            database: self.database.clone(),
            database_ca: self.database_ca.clone(),
            bucket: self.objects.clone().map(|url| BucketConfig {
                url,
                endpoint: self.s3_endpoint.clone(),
                region: self.s3_region.clone(),
            }),
        }
    }

    /// What is used, for people.
    pub(crate) fn names(&self) -> String {
        let mut names = self.store.display().to_string();
        if self.database.is_some() {
            names += ", the database";
        }
        if let Some(objects) = &self.objects {
            names = format!("{names}, {objects}");
        }
        names
    }
}
