-- The host's own tables, beside those of handfast.

-- Operators by the public part of their tokens. A removed row stays: it says who once could.
CREATE TABLE provisioner_operators (
    id          text COLLATE "C" PRIMARY KEY,
    name        text COLLATE "C" NOT NULL,
    digest      text NOT NULL,
    permissions text NOT NULL,
    created_at  text NOT NULL,
    removed_at  text
);
CREATE UNIQUE INDEX provisioner_operators_name ON provisioner_operators (name) WHERE removed_at IS NULL;

-- Topics that have been seen with signature version 2: version 1 does not come back after a restart.
CREATE TABLE provisioner_topics (
    arn             text COLLATE "C" PRIMARY KEY,
    version_2_since text NOT NULL
);
