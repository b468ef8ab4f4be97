//! SQLite's tables, as the steps that lead to them. A released step never changes.
//!
//! PostgreSQL's are the same tables, in `migrations/`.

use rusqlite_migration::{M, Migrations};

const STEPS: &[M<'static>] = &[
    M::up(
        "CREATE TABLE uploads (
        hash TEXT PRIMARY KEY,
        class TEXT NOT NULL,
        key TEXT NOT NULL,
        bytes INTEGER NOT NULL,
        width INTEGER NOT NULL,
        height INTEGER NOT NULL,
        brightness REAL NOT NULL,
        uploaded_at TEXT NOT NULL
    ) STRICT;
    -- Sums over uploads, changed with them: reading them does not grow with their number.
    CREATE TABLE upload_totals (
        class TEXT PRIMARY KEY,
        images INTEGER NOT NULL,
        bytes INTEGER NOT NULL,
        width INTEGER NOT NULL,
        height INTEGER NOT NULL,
        brightness REAL NOT NULL
    ) STRICT;
    CREATE TABLE jobs (
        number INTEGER PRIMARY KEY AUTOINCREMENT,
        id TEXT NOT NULL UNIQUE,
        status TEXT NOT NULL,
        epochs INTEGER NOT NULL,
        batch_size INTEGER NOT NULL,
        learning_rate REAL NOT NULL,
        progress INTEGER NOT NULL DEFAULT 0,
        accuracy REAL,
        loss REAL,
        model_version TEXT,
        message TEXT,
        error TEXT,
        cancel_requested INTEGER NOT NULL DEFAULT 0,
        created_at TEXT NOT NULL,
        started_at TEXT,
        completed_at TEXT
    ) STRICT;
    CREATE INDEX jobs_by_status ON jobs (status, number);
    CREATE TABLE models (
        number INTEGER PRIMARY KEY,
        version TEXT NOT NULL UNIQUE,
        hash TEXT NOT NULL,
        key TEXT NOT NULL,
        job_id TEXT,
        accuracy REAL,
        evaluation TEXT,
        serving INTEGER NOT NULL DEFAULT 0,
        created_at TEXT NOT NULL
    ) STRICT;
    CREATE UNIQUE INDEX one_model_serves ON models (serving) WHERE serving = 1;",
    ),
    // Who runs a job, and until when others take that for granted.
    M::up(
        "ALTER TABLE jobs ADD COLUMN runner TEXT;
        ALTER TABLE jobs ADD COLUMN lease_until_ms INTEGER;",
    ),
];

pub(crate) const MIGRATIONS: Migrations<'static> = Migrations::from_slice(STEPS);

#[cfg(test)]
mod tests {
    #[test]
    fn every_step_can_be_taken() {
        super::MIGRATIONS.validate().unwrap();
    }
}
