-- The tables of handfast in PostgreSQL (14 or newer), the same for every language: those of sqlite.sql, and one function
-- by which a batch is committed. Keys and bodies are opaque text, written by the core and stored as they are; the other
-- columns are for lists and sweeps. Times are RFC 3339 with three decimals and Z, so that they sort as text; everything
-- that is sorted is compared byte by byte.
BEGIN;
-- Several hosts may start at once.
SELECT pg_advisory_xact_lock(hashtextextended('handfast schema', 0));

CREATE TABLE IF NOT EXISTS handfast_records (
    key        text COLLATE "C" PRIMARY KEY,
    version    bigint NOT NULL,
    body       text NOT NULL,
    record     text COLLATE "C" NOT NULL,
    scope      text COLLATE "C",
    name       text COLLATE "C",
    kind       text COLLATE "C",
    status     text COLLATE "C",
    parent     text COLLATE "C",
    labels     jsonb NOT NULL DEFAULT '{}',
    created_at text COLLATE "C" NOT NULL,
    wake_at    text COLLATE "C"
);
CREATE INDEX IF NOT EXISTS handfast_records_wake_at ON handfast_records (wake_at) WHERE wake_at IS NOT NULL;
-- Each list in its order, so that a page costs no more in a long list than in a short one; labels that few records have
-- are found by themselves.
CREATE INDEX IF NOT EXISTS handfast_records_list ON handfast_records (record, created_at, key);
CREATE INDEX IF NOT EXISTS handfast_records_scope ON handfast_records (scope, record, created_at, key) WHERE scope IS NOT NULL;
CREATE INDEX IF NOT EXISTS handfast_records_status ON handfast_records (status, record, scope, created_at, key) WHERE status IS NOT NULL;
CREATE INDEX IF NOT EXISTS handfast_records_kind ON handfast_records (kind, created_at, key) WHERE kind IS NOT NULL;
CREATE INDEX IF NOT EXISTS handfast_records_name ON handfast_records (record, name, created_at, key) WHERE name IS NOT NULL;
CREATE INDEX IF NOT EXISTS handfast_records_parent ON handfast_records (parent, record, created_at, key) WHERE parent IS NOT NULL;
CREATE INDEX IF NOT EXISTS handfast_records_labels ON handfast_records USING gin (labels jsonb_path_ops) WHERE labels <> '{}';

-- The audit: one row for each fact. Never updated. The sequence is in the order of the commits for each key, and only
-- nearly so across keys: of two transactions, the one that drew its numbers first may end last.
CREATE TABLE IF NOT EXISTS handfast_events (
    sequence bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    key      text COLLATE "C" NOT NULL,
    version  bigint NOT NULL,
    at       text COLLATE "C" NOT NULL,
    fact     text COLLATE "C" NOT NULL,
    scope    text COLLATE "C",
    body     text NOT NULL,
    UNIQUE (key, version)
);

CREATE INDEX IF NOT EXISTS handfast_events_subjects ON handfast_events (scope, sequence)
    WHERE key >= 'subject/' AND key < 'subject0';

-- Refusals, counted: strangers cause as many as they like, and so they share rows.
CREATE TABLE IF NOT EXISTS handfast_notices (
    "coalesce" text COLLATE "C" PRIMARY KEY,
    count      bigint NOT NULL,
    first_at   text COLLATE "C" NOT NULL,
    last_at    text COLLATE "C" NOT NULL,
    body       text NOT NULL
);

-- Sealed secrets, apart from everything else so that they can be re-sealed and really destroyed: a deleted row is gone
-- from the table's files after the next VACUUM, and unreadable for good once its sealing key is destroyed.
CREATE TABLE IF NOT EXISTS handfast_vault (
    key    text COLLATE "C" PRIMARY KEY,
    sealed text NOT NULL
);

-- Does all of a batch, which is given as the core writes it in JSON, and gives true; or does nothing and gives false
-- where a guard does not hold. One call is one round trip and, called alone, one transaction.
--
-- Why commits are serialisable, write skew included: each takes an advisory lock for every key that it has looked at,
-- shared, or exclusive where it writes that key, and holds all of them until it has ended. A lock is for a key and not for
-- a row, so an absence is protected as well. What is checked after that cannot change any more before the end: whoever
-- would change it waits. So of two commits that each write what the other has read, the later one finds a guard broken.
-- The locks are taken in the order of their numbers, and no others are waited for before them: no cycle, no deadlock.
--
-- This rests on two things. Each statement sees what was committed before it began, so the check must come in a later
-- statement than the locks: that is what READ COMMITTED and VOLATILE give, and a stricter level would check against the
-- past. And everybody who writes these tables does it by this function; whoever does not meets the unique keys.
--
-- Set enable_seqscan to off for the sessions that call it: a plan is kept, and one that was made when the tables were small
-- would read them whole when they are large.
CREATE OR REPLACE FUNCTION handfast_commit(batch json) RETURNS boolean
LANGUAGE plpgsql VOLATILE
AS $handfast$
DECLARE
    given record;
    claim record;
    written_rows bigint;
BEGIN
    IF current_setting('transaction_isolation') <> 'read committed' THEN
        RAISE EXCEPTION 'handfast_commit works in READ COMMITTED only' USING ERRCODE = 'invalid_transaction_state';
    END IF;
    SELECT * INTO given FROM json_to_record(batch) AS part (guards json, writes json, events json, notices json, vault json);

    -- Where nothing is to be done, one look at all guards at once is enough.
    IF json_array_length(given.writes) + json_array_length(given.events) + json_array_length(given.vault) > 0 THEN
        FOR claim IN
            SELECT hashtextextended(key, 0) AS number, bool_or(is_written) AS is_written
            FROM (
                SELECT key, false AS is_written FROM json_to_recordset(given.guards) AS guard (key text)
                UNION ALL
                SELECT key, true FROM json_to_recordset(given.writes) AS written (key text)
            ) AS keys
            GROUP BY number ORDER BY number
        LOOP
            IF claim.is_written THEN
                PERFORM pg_advisory_xact_lock(claim.number);
            ELSE
                PERFORM pg_advisory_xact_lock_shared(claim.number);
            END IF;
        END LOOP;
    END IF;

    IF EXISTS (
        SELECT FROM json_to_recordset(given.guards) AS guard (key text, version bigint)
        WHERE guard.version <> COALESCE((SELECT found.version FROM handfast_records AS found WHERE found.key = guard.key), 0)
    ) THEN
        RETURN false;
    END IF;

    INSERT INTO handfast_records AS found
        (key, version, body, record, scope, name, kind, status, parent, labels, created_at, wake_at)
    SELECT key, version, body, column_of.record, column_of.scope, column_of.name, column_of.kind, column_of.status, column_of.parent,
        COALESCE(column_of.labels, '{}'), column_of.created_at, column_of.wake_at
    FROM json_to_recordset(given.writes) AS written (key text, version bigint, body text, index json),
        json_to_record(written.index) AS column_of (record text, scope text, name text, kind text, status text, parent text,
            labels jsonb, created_at text, wake_at text)
    ON CONFLICT (key) DO UPDATE SET version = excluded.version, body = excluded.body, record = excluded.record,
        scope = excluded.scope, name = excluded.name, kind = excluded.kind, status = excluded.status,
        parent = excluded.parent, labels = excluded.labels, created_at = excluded.created_at, wake_at = excluded.wake_at
    WHERE found.version < excluded.version;
    GET DIAGNOSTICS written_rows = ROW_COUNT;
    IF written_rows <> json_array_length(given.writes) THEN
        RAISE EXCEPTION 'a record would go back to an earlier version' USING ERRCODE = 'integrity_constraint_violation';
    END IF;

    INSERT INTO handfast_events (key, version, at, fact, scope, body)
    SELECT key, version, at, fact, scope, body
    FROM json_to_recordset(given.events)
        AS event (key text, version bigint, at text, fact text, scope text, body text);

    IF json_array_length(given.notices) > 0 THEN
        INSERT INTO handfast_notices AS counted ("coalesce", count, first_at, last_at, body)
        SELECT "coalesce", count(*), min(at), max(at), min(body)
        FROM json_to_recordset(given.notices) AS notice ("coalesce" text, at text, body text)
        GROUP BY "coalesce" ORDER BY "coalesce"
        ON CONFLICT ("coalesce") DO UPDATE SET count = counted.count + excluded.count,
            last_at = greatest(counted.last_at, excluded.last_at);
    END IF;

    IF json_array_length(given.vault) > 0 THEN
        INSERT INTO handfast_vault (key, sealed)
        SELECT key, sealed FROM json_to_recordset(given.vault) AS secret (key text, sealed text)
        WHERE sealed IS NOT NULL
        ON CONFLICT (key) DO UPDATE SET sealed = excluded.sealed;
        DELETE FROM handfast_vault WHERE key IN (
            SELECT key FROM json_to_recordset(given.vault) AS secret (key text, sealed text) WHERE sealed IS NULL
        );
    END IF;
    RETURN true;
END
$handfast$;
COMMIT;
