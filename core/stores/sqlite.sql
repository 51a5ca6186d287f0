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
-- Each list in its order, so that a page costs no more in a long list than in a short one.
CREATE INDEX IF NOT EXISTS handfast_records_list ON handfast_records (record, created_at, key);
CREATE INDEX IF NOT EXISTS handfast_records_scope ON handfast_records (scope, record, created_at, key) WHERE scope IS NOT NULL;
CREATE INDEX IF NOT EXISTS handfast_records_status ON handfast_records (status, record, scope, created_at, key) WHERE status IS NOT NULL;
CREATE INDEX IF NOT EXISTS handfast_records_kind ON handfast_records (kind, created_at, key) WHERE kind IS NOT NULL;
CREATE INDEX IF NOT EXISTS handfast_records_name ON handfast_records (record, name, created_at, key) WHERE name IS NOT NULL;
CREATE INDEX IF NOT EXISTS handfast_records_parent ON handfast_records (parent, record, created_at, key) WHERE parent IS NOT NULL;

-- The labels of records once more, in the order of their lists. Whoever writes records need not know of it.
CREATE TABLE IF NOT EXISTS handfast_labels (
    label      TEXT NOT NULL,
    value      TEXT NOT NULL,
    created_at TEXT NOT NULL,
    key        TEXT NOT NULL,
    PRIMARY KEY (label, value, created_at, key)
) STRICT, WITHOUT ROWID;
CREATE TRIGGER IF NOT EXISTS handfast_labels_added AFTER INSERT ON handfast_records WHEN new.labels <> '{}' BEGIN
    INSERT OR IGNORE INTO handfast_labels
    SELECT given.key, given.value, new.created_at, new.key FROM json_each(new.labels) AS given;
END;
CREATE TRIGGER IF NOT EXISTS handfast_labels_changed AFTER UPDATE ON handfast_records
WHEN new.labels <> old.labels OR new.created_at <> old.created_at BEGIN
    DELETE FROM handfast_labels WHERE (label, value, created_at, key) IN
        (SELECT was.key, was.value, old.created_at, old.key FROM json_each(old.labels) AS was);
    INSERT OR IGNORE INTO handfast_labels
    SELECT given.key, given.value, new.created_at, new.key FROM json_each(new.labels) AS given;
END;
CREATE TRIGGER IF NOT EXISTS handfast_labels_removed AFTER DELETE ON handfast_records WHEN old.labels <> '{}' BEGIN
    DELETE FROM handfast_labels WHERE (label, value, created_at, key) IN
        (SELECT was.key, was.value, old.created_at, old.key FROM json_each(old.labels) AS was);
END;

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
CREATE INDEX IF NOT EXISTS handfast_events_subjects ON handfast_events (scope, sequence)
    WHERE key >= 'subject/' AND key < 'subject0';

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
