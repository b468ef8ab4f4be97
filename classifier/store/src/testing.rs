//! Stores for tests: on SQLite, and on PostgreSQL where `CLASSIFIER_TEST_DATABASE` tells of one, as it
//! does under `scripts/with_postgres.sh`.

use std::path::Path;
use std::sync::atomic::{AtomicU32, Ordering};

use tempfile::TempDir;
use tokio::runtime::Builder;
use tokio_postgres::NoTls;

use crate::store::{Store, StoreConfig};

/// Where a test's store is; it outlives the store.
pub(crate) struct Place {
    folder: TempDir,
    database: Option<String>,
}

impl Place {
    pub(crate) fn open(&self) -> Store {
        Store::open_at(&StoreConfig {
            folder: self.folder.path().to_owned(),
            database: self.database.clone(),
            database_ca: None,
            bucket: None,
        })
        .unwrap()
    }

    pub(crate) fn folder(&self) -> &Path {
        self.folder.path()
    }
}

/// One place for each database.
pub(crate) fn places() -> Vec<Place> {
    let place = |database| Place {
        folder: tempfile::tempdir().unwrap(),
        database,
    };
    let mut places = vec![place(None)];
    if let Ok(url) = std::env::var("CLASSIFIER_TEST_DATABASE") {
        places.push(place(Some(new_schema(&url))));
    }
    places
}

/// The address of a schema of the test's own.
fn new_schema(url: &str) -> String {
    static NEXT: AtomicU32 = AtomicU32::new(0);
    let number = NEXT.fetch_add(1, Ordering::Relaxed);
    let name = format!("test_{}_{number}", std::process::id());
    execute(url, &format!("CREATE SCHEMA {name}"));
    format!("{url}&options=-c%20search_path%3D{name}")
}

/// The address of a schema whose owner may have so many connections at once, where there is a database.
pub(crate) fn few_connections(count: usize) -> Option<String> {
    let url = std::env::var("CLASSIFIER_TEST_DATABASE").ok()?;
    let name = format!("few_{}", std::process::id());
    execute(
        &url,
        &format!(
            "CREATE ROLE {name} LOGIN CONNECTION LIMIT {count}; CREATE SCHEMA {name} AUTHORIZATION {name}"
        ),
    );
    let url = url.replace("user=classifier", &format!("user={name}"));
    Some(format!("{url}&options=-c%20search_path%3D{name}"))
}

fn execute(url: &str, sql: &str) {
    let runtime = Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(async {
        let (client, connection) = tokio_postgres::connect(url, NoTls).await.unwrap();
        let closed = tokio::spawn(connection);
        client.batch_execute(sql).await.unwrap();
        drop(client);
        closed.await.unwrap().unwrap();
    });
}
