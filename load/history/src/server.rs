//! A history in a PostgreSQL database, which several machines may share.
//!
//! Nothing waits for the server without end: making a connection has a limit, and so has all
//! that is asked through it together.

use std::error::Error;
use std::fmt::Write as _;
use std::sync::Arc;
use std::time::Duration;

use acrida_report::windows::{EntryWindows, Window};
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject;
use tokio::runtime::{Builder, Runtime};
use tokio::time::{Instant, timeout, timeout_at};
use tokio_postgres::{Client, Row, Transaction};
use tokio_postgres_rustls::MakeRustlsConnect;

use crate::place::Server as Address;
use crate::rows::{RunRow, WindowRow, number};
use crate::{HistoryError, NewRun, RUNS_MAX, times};

/// For a connection to be made and accepted.
const CONNECT_WITHIN: Duration = Duration::from_secs(3);
/// What the server keeps to: whoever freezes within a transaction holds up others no longer.
const SERVER_LIMITS: &str =
    "SET statement_timeout = 8000; SET idle_in_transaction_session_timeout = 8000";
/// Held while the tables are made; any number that other programs in the database do not use.
const MIGRATION_LOCK: i64 = 0x6163_7264_6869_7374;

mod migrations {
    refinery::embed_migrations!("migrations");
}

/// A connection.
pub(crate) struct Server {
    place: String,
    client: Client,
    /// Drives the connection while something is awaited; `None` only while this is dropped.
    runtime: Option<Runtime>,
    until: Instant,
}

impl Server {
    /// Connects, and brings the tables up to date. Everything that is ever asked through this
    /// connection takes `patience` at most.
    pub(crate) fn connect(address: &Address, patience: Duration) -> Result<Self, HistoryError> {
        let place = address.to_string();
        let failed = |why: String| HistoryError::Database {
            place: place.clone(),
            why,
        };
        let until = Instant::now() + patience;
        let mut config = address.config.clone();
        config
            .application_name("acrida")
            .connect_timeout(CONNECT_WITHIN)
            .tcp_user_timeout(patience);
        if config.get_password().is_none()
            && let Ok(password) = std::env::var("PGPASSWORD")
        {
            config.password(password);
        }
        let runtime = Builder::new_current_thread()
            .enable_all()
            .build()
            .map_err(|error| failed(error.to_string()))?;
        let tls = tls().map_err(failed)?;
        let connected = async { timeout(CONNECT_WITHIN, config.connect(tls)).await };
        let connected = runtime.block_on(connected);
        let (client, connection) = connected
            .map_err(|_| failed(NO_ANSWER.to_owned()))?
            .map_err(|error| failed(chain(&error)))?;
        runtime.spawn(connection);
        let mut server = Self {
            place,
            client,
            runtime: Some(runtime),
            until,
        };
        server.bring_up_to_date()?;
        Ok(server)
    }

    fn bring_up_to_date(&mut self) -> Result<(), HistoryError> {
        let lock = format!("{SERVER_LIMITS}; SELECT pg_advisory_lock({MIGRATION_LOCK})");
        self.wait(self.client.batch_execute(&lock))?;
        let mut runner = migrations::migrations::runner();
        runner.set_migration_table_name("acrida_schema_history");
        let known = runner.get_migrations().len() as i64;
        let runtime = self.runtime.as_ref().expect("it lives as long as this");
        let migrated = runner.run_async(&mut self.client);
        let migrated = runtime.block_on(async { timeout_at(self.until, migrated).await });
        migrated
            .map_err(|_| self.failed(NO_ANSWER.to_owned()))?
            .map_err(|error| match error.kind() {
                refinery::error::Kind::MissingVersion(migration) => HistoryError::Newer {
                    place: self.place.clone(),
                    found: i64::from(migration.version()),
                    known,
                },
                _ => self.failed(chain(&error)),
            })?;
        let unlock = format!("SELECT pg_advisory_unlock({MIGRATION_LOCK})");
        self.wait(self.client.batch_execute(&unlock))
    }

    /// Keeps a run; one that is here already is not kept twice.
    pub(crate) fn add(&mut self, run: &NewRun<'_>) -> Result<i64, HistoryError> {
        let runtime = self.runtime.as_ref().expect("it lives as long as this");
        let added = add(&mut self.client, run);
        let added = runtime.block_on(async { timeout_at(self.until, added).await });
        self.answer(added)
    }

    pub(crate) fn newest(&self, count: usize) -> Result<Vec<RunRow>, HistoryError> {
        let sql = format!("SELECT {COLUMNS} FROM acrida_run ORDER BY id DESC LIMIT $1");
        let count = count as i64;
        let rows = self.wait(self.client.query(&sql, &[&count]))?;
        self.read(&rows, run_row)
    }

    pub(crate) fn run(&self, id: i64) -> Result<Option<RunRow>, HistoryError> {
        let sql = format!("SELECT {COLUMNS} FROM acrida_run WHERE id = $1");
        let rows = self.wait(self.client.query(&sql, &[&id]))?;
        Ok(self.read(&rows, run_row)?.pop())
    }

    /// Name by name.
    pub(crate) fn windows(&self, id: i64) -> Result<Vec<WindowRow>, HistoryError> {
        // The order of bytes, as SQLite has it.
        let sql = "SELECT method, name, seconds, users, requests, failures, times FROM acrida_window \
            WHERE run = $1 ORDER BY name COLLATE \"C\", method COLLATE \"C\", position";
        let rows = self.wait(self.client.query(sql, &[&id]))?;
        self.read(&rows, window_row)
    }

    fn read<T>(
        &self,
        rows: &[Row],
        of: fn(&Row) -> Result<T, tokio_postgres::Error>,
    ) -> Result<Vec<T>, HistoryError> {
        let read = rows.iter().map(of).collect::<Result<Vec<_>, _>>();
        read.map_err(|error| self.failed(chain(&error)))
    }

    fn wait<T>(
        &self,
        answer: impl Future<Output = Result<T, tokio_postgres::Error>>,
    ) -> Result<T, HistoryError> {
        let runtime = self.runtime.as_ref().expect("it lives as long as this");
        let answer = runtime.block_on(async { timeout_at(self.until, answer).await });
        self.answer(answer)
    }

    fn answer<T, Late>(
        &self,
        answer: Result<Result<T, tokio_postgres::Error>, Late>,
    ) -> Result<T, HistoryError> {
        answer
            .map_err(|_| self.failed(NO_ANSWER.to_owned()))?
            .map_err(|error| self.failed(chain(&error)))
    }

    fn failed(&self, why: String) -> HistoryError {
        let place = self.place.clone();
        HistoryError::Database { place, why }
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        if let Some(runtime) = self.runtime.take() {
            // An ordinary drop would wait for a name that is still being looked up.
            runtime.shutdown_background();
        }
    }
}

impl std::fmt::Debug for Server {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.place)
    }
}

async fn add(client: &mut Client, run: &NewRun<'_>) -> Result<i64, tokio_postgres::Error> {
    let transaction = client.transaction().await?;
    let (started_s, machine) = (run.started_s(), run.machine);
    let inserted = transaction
        .query_opt(
            "INSERT INTO acrida_run (started_s, version, machine, settings, exit_code, summary) \
             VALUES ($1, $2, $3, $4, $5, $6) ON CONFLICT DO NOTHING RETURNING id",
            &[
                &started_s,
                &run.version,
                &machine,
                &run.settings,
                &i64::from(run.exit_code),
                &run.summary_as_json(),
            ],
        )
        .await?;
    let Some(row) = inserted else {
        let sql = "SELECT id FROM acrida_run WHERE machine = $1 AND started_s = $2";
        let row = transaction.query_one(sql, &[&machine, &started_s]).await?;
        return row.try_get(0);
    };
    let id = row.try_get(0)?;
    for entry in run.windows {
        add_windows(&transaction, id, entry).await?;
    }
    let sql = "DELETE FROM acrida_run WHERE id NOT IN (SELECT id FROM acrida_run ORDER BY id DESC LIMIT $1)";
    transaction.execute(sql, &[&(RUNS_MAX as i64)]).await?;
    transaction.commit().await?;
    Ok(id)
}

/// All windows of a name in one statement: each one costs a way to the server and back.
async fn add_windows(
    transaction: &Transaction<'_>,
    run: i64,
    entry: &EntryWindows,
) -> Result<(), tokio_postgres::Error> {
    let column = |of: fn(&Window) -> i64| entry.windows.iter().map(of).collect::<Vec<i64>>();
    let positions: Vec<i64> = (0..).take(entry.windows.len()).collect();
    let times: Vec<_> = entry
        .windows
        .iter()
        .map(|window| times::write(&window.times))
        .collect();
    // PostgreSQL's texts hold no zero bytes.
    let text = |text: &str| text.replace('\0', "\u{fffd}");
    let sql = "INSERT INTO acrida_window (run, method, name, position, seconds, users, requests, failures, times) \
        SELECT $1, $2, $3, * FROM unnest($4::BIGINT[], $5::BIGINT[], $6::BIGINT[], $7::BIGINT[], $8::BIGINT[], \
        $9::BYTEA[]) ON CONFLICT DO NOTHING";
    let statement = transaction.prepare(sql).await?;
    transaction
        .execute(
            &statement,
            &[
                &run,
                &text(&entry.method),
                &text(&entry.name),
                &positions,
                &column(|window| window.seconds.into()),
                &column(|window| number(window.users)),
                &column(|window| number(window.requests)),
                &column(|window| number(window.failures)),
                &times,
            ],
        )
        .await
        .map(|_| ())
}

const COLUMNS: &str = "id, version, machine, settings, exit_code, summary";
const NO_ANSWER: &str = "it does not answer";

fn run_row(row: &Row) -> Result<RunRow, tokio_postgres::Error> {
    Ok((
        row.try_get(0)?,
        row.try_get(1)?,
        row.try_get(2)?,
        row.try_get(3)?,
        row.try_get(4)?,
        row.try_get(5)?,
    ))
}

fn window_row(row: &Row) -> Result<WindowRow, tokio_postgres::Error> {
    let count = |at| row.try_get::<_, i64>(at).map(i64::unsigned_abs);
    let window = Window {
        seconds: u32::try_from(count(2)?).unwrap_or(u32::MAX),
        users: count(3)?,
        requests: count(4)?,
        failures: count(5)?,
        times: Vec::new(),
    };
    Ok((row.try_get(0)?, row.try_get(1)?, window, row.try_get(6)?))
}

/// TLS, where the address asks for it (`sslmode`): certificates have to be of the authorities
/// in the file that PGSSLROOTCERT names, or else of those that browsers trust.
fn tls() -> Result<MakeRustlsConnect, String> {
    let mut roots = rustls::RootCertStore::empty();
    match std::env::var_os("PGSSLROOTCERT").filter(|path| !path.is_empty()) {
        None => roots.extend(webpki_roots::TLS_SERVER_ROOTS.iter().cloned()),
        Some(path) => {
            let unusable = |why: &dyn std::fmt::Display| {
                format!("the certificates in {}: {why}", path.display())
            };
            let found = CertificateDer::pem_file_iter(&path)
                .and_then(Iterator::collect::<Result<Vec<_>, _>>)
                .map_err(|error| unusable(&error))?;
            if roots.add_parsable_certificates(found).0 == 0 {
                return Err(unusable(&"there are none"));
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

/// An error in one line, with what lies behind it as far as that says more.
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
    text.lines().map(str::trim).collect::<Vec<_>>().join(" ")
}
