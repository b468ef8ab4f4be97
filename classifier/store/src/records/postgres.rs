//! PostgreSQL, for services on several machines: a pool of connections, each of them with limits
//! on how long it may be waited for.

use std::error::Error;
use std::fmt::Write;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use deadpool_postgres::{
    Manager, ManagerConfig, Object, Pool, PoolError, RecyclingMethod, Runtime as Kind, TimeoutType,
};
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject;
use tokio::runtime::{Builder, Runtime};
use tokio::time::{Instant, sleep, timeout};
use tokio_postgres::types::private::BytesMut;
use tokio_postgres::types::{IsNull, ToSql, Type, to_sql_checked};
use tokio_postgres::{Config, error::SqlState};
use tokio_postgres_rustls::MakeRustlsConnect;

use super::{Row, Sql, Value};
use crate::error::StoreError;

/// Connections of one process: as many as it has threads that ask, and some for retraining.
const CONNECTIONS_MAX: usize = 12;
/// For a connection to be made, and for one of the pool to be free.
const CONNECT_WITHIN: Duration = Duration::from_secs(2);
/// Where the server allows no more connections, one of ours may be free, or one of others gone, after this.
const AGAIN_AFTER: Duration = Duration::from_millis(10);
/// A connection that was not needed for so long is closed: other processes may need its place.
const IDLE_FOR: Duration = Duration::from_secs(60);
/// For one statement; the server gives it up a little earlier itself.
const ANSWER_WITHIN: Duration = Duration::from_secs(10);
/// What the server keeps to. A process that freezes within a transaction holds up others no longer
/// than the last of these.
const SERVER_LIMITS: &str = "-c synchronous_commit=on -c statement_timeout=8000 \
    -c idle_in_transaction_session_timeout=8000";
/// The lock that the one writer holds; any number that other programs in the same database do
/// not use.
const WRITER_LOCK: i64 = 0x6272_6169_6e6d_7269;

mod migrations {
    refinery::embed_migrations!("migrations");
}

/// A pool of connections, and the thread that waits for their sockets.
#[derive(Debug)]
pub(crate) struct Postgres {
    pool: Pool,
    /// `None` only while this is dropped.
    runtime: Option<Runtime>,
}

impl Postgres {
    pub(super) fn connect(url: &str, ca: Option<&Path>) -> Result<Postgres, StoreError> {
        let mut config: Config = url.parse().map_err(|error| {
            StoreError::Configuration(format!("the database's address: {}", chain(&error)))
        })?;
        let own = config.get_options().unwrap_or_default();
        let options = format!("{SERVER_LIMITS} {own}");
        config
            .options(options.trim_end())
            .application_name("classifier")
            .connect_timeout(CONNECT_WITHIN)
            .tcp_user_timeout(ANSWER_WITHIN);
        let recycling = ManagerConfig {
            recycling_method: RecyclingMethod::Fast,
        };
        let manager = Manager::from_config(config, tls(ca)?, recycling);
        let pool = Pool::builder(manager)
            .runtime(Kind::Tokio1)
            .max_size(CONNECTIONS_MAX)
            .wait_timeout(Some(CONNECT_WITHIN))
            .create_timeout(Some(CONNECT_WITHIN))
            .build()
            .expect("a runtime is named, as the limits of time need");
        let runtime = Builder::new_multi_thread()
            .worker_threads(1)
            .thread_name("database")
            .enable_all()
            .build()
            .map_err(|error| StoreError::Database(error.into()))?;
        let idle = pool.clone();
        runtime.spawn(async move {
            loop {
                sleep(IDLE_FOR / 2).await;
                idle.retain(|_, used| used.last_used() < IDLE_FOR);
            }
        });
        let database = Postgres {
            pool,
            runtime: Some(runtime),
        };
        database.migrate()?;
        Ok(database)
    }

    /// One process at a time: replicas may start together.
    fn migrate(&self) -> Result<(), StoreError> {
        let mut session = self.session()?;
        session.batch(&format!("SELECT pg_advisory_lock({WRITER_LOCK})"))?;
        let client = session.client.as_mut().expect("a session has a connection");
        let runner = migrations::migrations::runner();
        let migrated = session.runtime.block_on(runner.run_async(&mut ***client));
        migrated.map_err(|error| StoreError::Database(chain(&error).into()))?;
        session.batch(&format!("SELECT pg_advisory_unlock({WRITER_LOCK})"))?;
        session.finished();
        Ok(())
    }

    pub(super) fn write<T>(
        &self,
        work: impl FnOnce(&mut dyn Sql) -> Result<T, StoreError>,
    ) -> Result<T, StoreError> {
        let mut session = self.session()?;
        session.batch(&format!(
            "BEGIN; SELECT pg_advisory_xact_lock({WRITER_LOCK})"
        ))?;
        let result = work(&mut session);
        match result {
            Ok(_) => session.batch("COMMIT")?,
            // What went wrong before says more than a failure to undo it would.
            Err(error) => {
                if session.batch("ROLLBACK").is_ok() {
                    session.finished();
                }
                return Err(error);
            }
        }
        session.finished();
        result
    }

    pub(super) fn read<T>(
        &self,
        work: impl FnOnce(&mut dyn Sql) -> Result<T, StoreError>,
    ) -> Result<T, StoreError> {
        let mut session = self.session()?;
        let result = work(&mut session)?;
        session.finished();
        Ok(result)
    }

    fn session(&self) -> Result<Session<'_>, StoreError> {
        let runtime = self.runtime.as_ref().expect("it lives as long as this");
        let client = runtime.block_on(self.connection());
        let client = client.map_err(|error| StoreError::Database(why_none(&error).into()))?;
        Ok(Session {
            runtime,
            client: Some(client),
            finished: false,
        })
    }

    /// A connection of the pool, or a new one as soon as the server allows it.
    async fn connection(&self) -> Result<Object, PoolError> {
        let until = Instant::now() + CONNECT_WITHIN;
        loop {
            match self.pool.get().await {
                Err(error) if is_refused(&error) && Instant::now() < until => {
                    sleep(AGAIN_AFTER).await
                }
                found => return found,
            }
        }
    }
}

/// Whether the server has as many connections as it allows.
fn is_refused(error: &PoolError) -> bool {
    let PoolError::Backend(error) = error else {
        return false;
    };
    error.code() == Some(&SqlState::TOO_MANY_CONNECTIONS)
}

impl Drop for Postgres {
    fn drop(&mut self) {
        if let Some(runtime) = self.runtime.take() {
            // Unlike an ordinary drop, this is allowed on threads of other runtimes.
            runtime.shutdown_background();
        }
    }
}

/// A connection while it is used. One whose state is not known at the end is closed, which also
/// undoes what it has begun, and not used again.
struct Session<'a> {
    runtime: &'a Runtime,
    /// `None` only while this is dropped.
    client: Option<Object>,
    finished: bool,
}

impl Session<'_> {
    fn client(&self) -> &Object {
        self.client.as_ref().expect("a session has a connection")
    }

    fn finished(&mut self) {
        self.finished = true;
    }

    fn batch(&mut self, sql: &str) -> Result<(), StoreError> {
        self.wait(self.client().batch_execute(sql))
    }

    fn wait<T>(
        &self,
        answer: impl Future<Output = Result<T, tokio_postgres::Error>>,
    ) -> Result<T, StoreError> {
        let answer = self
            .runtime
            .block_on(async { timeout(ANSWER_WITHIN, answer).await });
        match answer {
            Ok(answer) => Ok(answer?),
            Err(_) => Err(StoreError::Database("it does not answer".into())),
        }
    }
}

impl Drop for Session<'_> {
    fn drop(&mut self) {
        let client = self.client.take();
        if !self.finished {
            drop(client.map(Object::take));
        }
    }
}

impl Sql for Session<'_> {
    fn execute(&mut self, sql: &str, parameters: &[Value]) -> Result<u64, StoreError> {
        let client = self.client();
        self.wait(async {
            let statement = client.prepare_cached(&numbered(sql)).await?;
            client.execute_raw(&statement, parameters).await
        })
    }

    fn rows(&mut self, sql: &str, parameters: &[Value]) -> Result<Vec<Row>, StoreError> {
        let client = self.client();
        let parameters: Vec<&(dyn ToSql + Sync)> = parameters
            .iter()
            .map(|value| value as &(dyn ToSql + Sync))
            .collect();
        let (statement, rows) = self.wait(async {
            let statement = client.prepare_cached(&numbered(sql)).await?;
            let rows = client.query(&statement, &parameters).await?;
            Ok((statement, rows))
        })?;
        let columns: Arc<[String]> = statement
            .columns()
            .iter()
            .map(|column| column.name().to_owned())
            .collect();
        rows.iter()
            .map(|row| {
                let values = (0..columns.len()).map(|place| read(row, place));
                Ok(Row {
                    values: values.collect::<Result<_, tokio_postgres::Error>>()?,
                    columns: Arc::clone(&columns),
                })
            })
            .collect()
    }

    fn now_ms(&mut self) -> Result<i64, StoreError> {
        let sql = "SELECT CAST(EXTRACT(EPOCH FROM clock_timestamp()) * 1000 AS BIGINT) AS now";
        let row = (self as &mut dyn Sql).row(sql, &[])?;
        row.expect("there is always a time").get("now")
    }
}

/// Parameters are `$1` here.
fn numbered(sql: &str) -> String {
    sql.replace('?', "$")
}

fn read(row: &tokio_postgres::Row, place: usize) -> Result<Value, tokio_postgres::Error> {
    let kind = row.columns()[place].type_();
    Ok(if *kind == Type::INT8 {
        row.try_get::<_, Option<i64>>(place)?.into()
    } else if *kind == Type::INT4 {
        row.try_get::<_, Option<i32>>(place)?.map(i64::from).into()
    } else if *kind == Type::FLOAT8 {
        row.try_get::<_, Option<f64>>(place)?.into()
    } else {
        row.try_get::<_, Option<String>>(place)?.into()
    })
}

impl ToSql for Value {
    fn to_sql(
        &self,
        kind: &Type,
        out: &mut BytesMut,
    ) -> Result<IsNull, Box<dyn Error + Sync + Send>> {
        match self {
            Value::Null => Ok(IsNull::Yes),
            Value::Integer(number) => number.to_sql_checked(kind, out),
            Value::Real(number) => number.to_sql_checked(kind, out),
            Value::Text(text) => text.to_sql_checked(kind, out),
        }
    }

    /// Each value looks for itself whether its kind is the column's.
    fn accepts(_: &Type) -> bool {
        true
    }

    to_sql_checked!();
}

/// TLS, where the address asks for it (`sslmode`): certificates have to be of the authorities
/// in the file `ca`, or else of those that browsers trust.
fn tls(ca: Option<&Path>) -> Result<MakeRustlsConnect, StoreError> {
    let mut roots = rustls::RootCertStore::empty();
    match ca {
        None => roots.extend(webpki_roots::TLS_SERVER_ROOTS.iter().cloned()),
        Some(path) => {
            let unusable = |why: String| {
                StoreError::Configuration(format!("the certificates in {}: {why}", path.display()))
            };
            let found = CertificateDer::pem_file_iter(path)
                .and_then(Iterator::collect::<Result<Vec<_>, _>>)
                .map_err(|error| unusable(error.to_string()))?;
            if roots.add_parsable_certificates(found).0 == 0 {
                return Err(unusable("there are none".to_owned()));
            }
        }
    }
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let config = rustls::ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .expect("the provider knows the usual versions")
        .with_root_certificates(roots)
        .with_no_client_auth();
    Ok(MakeRustlsConnect::new(config))
}

impl From<tokio_postgres::Error> for StoreError {
    fn from(error: tokio_postgres::Error) -> StoreError {
        match error.code() {
            Some(&SqlState::DISK_FULL) => StoreError::NoSpace,
            _ => StoreError::Database(chain(&error).into()),
        }
    }
}

/// Why the pool has no connection to give.
fn why_none(error: &PoolError) -> String {
    match error {
        PoolError::Timeout(TimeoutType::Wait) => "every connection to it is in use".to_owned(),
        PoolError::Timeout(_) => "it does not answer".to_owned(),
        PoolError::Backend(error) => chain(error),
        error => chain(error),
    }
}

/// An error, and what lies behind it as far as that says more.
fn chain(error: &dyn Error) -> String {
    let mut text = error.to_string();
    let mut next = error.source();
    while let Some(cause) = next {
        let cause_text = cause.to_string();
        if !text.contains(&cause_text) {
            let _ = write!(text, ": {cause_text}");
        }
        next = cause.source();
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::few_connections;

    #[test]
    fn where_the_server_allows_no_more_connections_one_of_ours_is_waited_for() {
        let Some(url) = few_connections(2) else {
            return;
        };
        let database = Postgres::connect(&url, None).unwrap();
        std::thread::scope(|scope| {
            for _ in 0..8 {
                scope.spawn(|| {
                    for _ in 0..10 {
                        let slow = "SELECT CAST(1 AS BIGINT) AS one FROM pg_sleep(0.005)";
                        database.read(|sql| sql.row(slow, &[])).unwrap();
                    }
                });
            }
        });
    }
}
