-- The tables of src/file/schema.rs, as PostgreSQL has them. A released step never changes.
CREATE TABLE acrida_run (
    id BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    started_s DOUBLE PRECISION NOT NULL,
    version TEXT NOT NULL,
    machine TEXT NOT NULL,
    settings TEXT NOT NULL,
    exit_code BIGINT NOT NULL,
    summary TEXT NOT NULL,
    -- A run is sent again where it was not known whether it had arrived.
    UNIQUE (machine, started_s)
);
CREATE TABLE acrida_window (
    run BIGINT NOT NULL REFERENCES acrida_run (id) ON DELETE CASCADE,
    method TEXT NOT NULL,
    name TEXT NOT NULL,
    position BIGINT NOT NULL,
    seconds BIGINT NOT NULL,
    users BIGINT NOT NULL,
    requests BIGINT NOT NULL,
    failures BIGINT NOT NULL,
    times BYTEA NOT NULL,
    PRIMARY KEY (run, name, method, position)
);
