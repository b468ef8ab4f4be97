-- The tables of src/records/schema.rs, as PostgreSQL has them. A released step never changes.
CREATE TABLE uploads (
    rowid BIGINT GENERATED ALWAYS AS IDENTITY UNIQUE,
    hash TEXT PRIMARY KEY,
    class TEXT NOT NULL,
    key TEXT NOT NULL,
    bytes BIGINT NOT NULL,
    width BIGINT NOT NULL,
    height BIGINT NOT NULL,
    brightness DOUBLE PRECISION NOT NULL,
    uploaded_at TEXT NOT NULL
);
CREATE TABLE upload_totals (
    class TEXT PRIMARY KEY,
    images BIGINT NOT NULL,
    bytes BIGINT NOT NULL,
    width BIGINT NOT NULL,
    height BIGINT NOT NULL,
    brightness DOUBLE PRECISION NOT NULL
);
CREATE TABLE jobs (
    number BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    id TEXT NOT NULL UNIQUE,
    status TEXT NOT NULL,
    epochs BIGINT NOT NULL,
    batch_size BIGINT NOT NULL,
    learning_rate DOUBLE PRECISION NOT NULL,
    progress BIGINT NOT NULL DEFAULT 0,
    accuracy DOUBLE PRECISION,
    loss DOUBLE PRECISION,
    model_version TEXT,
    message TEXT,
    error TEXT,
    cancel_requested BIGINT NOT NULL DEFAULT 0,
    created_at TEXT NOT NULL,
    started_at TEXT,
    completed_at TEXT,
    runner TEXT,
    lease_until_ms BIGINT
);
CREATE INDEX jobs_by_status ON jobs (status, number);
CREATE TABLE models (
    number BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    version TEXT NOT NULL UNIQUE,
    hash TEXT NOT NULL,
    key TEXT NOT NULL,
    job_id TEXT,
    accuracy DOUBLE PRECISION,
    evaluation TEXT,
    serving BIGINT NOT NULL DEFAULT 0,
    created_at TEXT NOT NULL
);
CREATE UNIQUE INDEX one_model_serves ON models (serving) WHERE serving = 1;
