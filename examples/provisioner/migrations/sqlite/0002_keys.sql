-- The keys that this database has been used with, each by a digest: a host with other keys is not let on it.
CREATE TABLE provisioner_keys (
    id     TEXT PRIMARY KEY NOT NULL,
    digest TEXT NOT NULL
);
