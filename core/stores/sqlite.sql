-- The tables of handfast in SQLite, the same for every language. Keys and bodies are opaque text, written by the
-- core and stored as they are; the other columns are for lists and sweeps. Times are RFC 3339 with three decimals
-- and Z, so that they sort as text.
CREATE TABLE IF NOT EXISTS handfast_records (
    key        TEXT PRIMARY KEY NOT NULL,
    version    INTEGER NOT NULL,
    body       TEXT NOT NULL,
    record     TEXT NOT NULL,
    scope      TEXT,
    name       TEXT,
    kind       TEXT,
    status     TEXT,
    parent     TEXT,
    labels     TEXT NOT NULL DEFAULT '{}',
    created_at TEXT NOT NULL,
    wake_at    TEXT
) STRICT, WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS handfast_records_wake_at ON handfast_records (wake_at) WHERE wake_at IS NOT NULL;
CREATE INDEX IF NOT EXISTS handfast_records_list ON handfast_records (record, created_at, key);
CREATE INDEX IF NOT EXISTS handfast_records_parent ON handfast_records (parent, key) WHERE parent IS NOT NULL;

-- The audit: one row for each fact, in the order of their commits. Never updated.
CREATE TABLE IF NOT EXISTS handfast_events (
    sequence INTEGER PRIMARY KEY AUTOINCREMENT,
    key      TEXT NOT NULL,
    version  INTEGER NOT NULL,
    at       TEXT NOT NULL,
    fact     TEXT NOT NULL,
    scope    TEXT,
    body     TEXT NOT NULL,
    UNIQUE (key, version)
) STRICT;

-- Refusals, counted: strangers cause as many as they like, and so they share rows.
CREATE TABLE IF NOT EXISTS handfast_notices (
    coalesce TEXT PRIMARY KEY NOT NULL,
    count    INTEGER NOT NULL,
    first_at TEXT NOT NULL,
    last_at  TEXT NOT NULL,
    body     TEXT NOT NULL
) STRICT, WITHOUT ROWID;

-- Sealed secrets, apart from everything else so that they can be re-sealed and really destroyed.
CREATE TABLE IF NOT EXISTS handfast_vault (
    key    TEXT PRIMARY KEY NOT NULL,
    sealed TEXT NOT NULL
) STRICT, WITHOUT ROWID;
