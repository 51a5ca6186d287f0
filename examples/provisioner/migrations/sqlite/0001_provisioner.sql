-- The host's own tables, beside those of handfast.

-- Operators by the public part of their tokens. A removed row stays: it says who once could.
CREATE TABLE provisioner_operators (
    id          TEXT PRIMARY KEY NOT NULL,
    name        TEXT NOT NULL,
    digest      TEXT NOT NULL,
    permissions TEXT NOT NULL,
    created_at  TEXT NOT NULL,
    removed_at  TEXT
);
CREATE UNIQUE INDEX provisioner_operators_name ON provisioner_operators (name) WHERE removed_at IS NULL;

-- Topics that have been seen with signature version 2: version 1 does not come back after a restart.
CREATE TABLE provisioner_topics (
    arn             TEXT PRIMARY KEY NOT NULL,
    version_2_since TEXT NOT NULL
);
