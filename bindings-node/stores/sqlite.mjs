/**
 * A store in one SQLite file, for any number of processes on one machine. The tables are those of every language: a
 * file that was begun from Python or Rust is continued here.
 *
 * Uses `node:sqlite` where Node.js has it (from 22.5), else the package `@photostructure/sqlite`, which is the same
 * code for older versions.
 */
import { SQLITE_SCHEMA, SQLITE_UPGRADE, scopeView, timestamp } from '../lib/index.mjs';
import { misuse } from '../lib/error.mjs';
import { recordsQuery } from './lists.mjs';

const { DatabaseSync } = await loadSqlite();

/** Milliseconds to wait for another process's transaction; each lasts a few. */
const BUSY_TIMEOUT = 5000;

export class SqliteStore {
  /** The open database: for queries and tables of your own. */
  database;
  #statements;
  #lists = new Map();

  /**
   * Opens or makes the file, and makes the tables that are missing. A file of an earlier schema is brought up to date.
   *
   * @param {string | URL | DatabaseSync} location a path, `:memory:`, or an open database, which stays the caller's
   */
  constructor(location) {
    this.database = isDatabase(location) ? location : open(location);
    makeTables(this.database);
    this.#statements = prepare(this.database);
  }

  /** The rows that exist of these keys: records, and sealed secrets of the vault. */
  read(keys) {
    const { record, secret } = this.#statements;
    return keys.map((key) => (isSecret(key) ? secret : record).get(key)).filter((row) => row !== undefined);
  }

  /** Does all of a batch in one durable transaction and gives `true`, or nothing and gives `false`. */
  commit(batch) {
    const writes = batch.writes.length + batch.events.length + batch.notices.length + batch.vault.length > 0;
    return this.#transact(writes ? 'BEGIN IMMEDIATE' : 'BEGIN', () => {
      const held = batch.guards.every(({ key, version }) => this.#version(key) === version);
      if (held) this.#write(batch);
      return held;
    });
  }

  /** The keys of records about which something is due by `now`, the most urgent first. */
  due(now, limit = 100) {
    return this.#statements.due.all(timestamp(now), limit).map(({ key }) => key);
  }

  /** When something is due next, or `null`: a host may sleep until then. */
  nextWake() {
    return this.#statements.nextWake.get().at;
  }

  /**
   * Records of one type, the oldest first; `after` the last row of one page gives the next. All that is given must hold:
   * one of several `status`, all `labels`, the key of a package as the `parent` of nodes and packages. With a
   * `namePrefix` the list is in the order of names.
   */
  records(record = 'package', { scope, status, kind, name, namePrefix, labels, parent, after, limit = 100 } = {}) {
    const filter = { scope, status, kind, name, namePrefix, labels, parent, after, limit };
    const { sql, values } = recordsQuery(record, filter);
    if (!this.#lists.has(sql)) this.#lists.set(sql, this.database.prepare(sql));
    return this.#lists
      .get(sql)
      .all(...values)
      .map(indexed);
  }

  /**
   * The subjects of a scope in the order of their latest changes, each with how it stands now: `active`, `expected`,
   * `banned` or `gone`. `after` the last `sequence` that you have seen gives what has changed since: so a host keeps an
   * allow-list in step.
   */
  subjects(scope, { after = 0, limit = 100 } = {}) {
    const subject = `subject/${scope}/`.length;
    const changes = this.#statements.subjects.all(scope, after, limit);
    return changes.map(({ key, ...change }) => ({ subject: key.slice(subject), ...change }));
  }

  /** What is promised in a scope and what of it is in use; `null` for one that was never configured. */
  scope(scope) {
    const found = this.#statements.scope.get(scope, scope);
    return found ? scopeView(found, found.active) : null;
  }

  /** Facts in the order of their commits, of one record or of all; `after` the last `sequence` gives the next page. */
  events(key = null, { after = 0, limit = 100 } = {}) {
    return this.#statements.events.all(key, key, after, limit).map(dropNulls);
  }

  /** The refusals, counted, the latest first. */
  notices({ limit = 100 } = {}) {
    return this.#statements.notices.all(limit).map(({ count, ...notice }) => ({ count, notice }));
  }

  /** Sealed secrets in the order of their keys; `after` the last key of one page gives the next. For `reseal`. */
  sealed({ after = '', limit = 100 } = {}) {
    return this.#statements.sealed.all(after, limit);
  }

  /**
   * Replaces sealed secrets in one transaction, each if it is still as it was read: it may have been shredded meanwhile.
   * Gives how many that were.
   */
  reseal(changes) {
    return this.#transact('BEGIN IMMEDIATE', () => {
      const replaced = changes.map(({ row, sealed }) => this.#statements.reseal.run(sealed, row.key, row.body).changes);
      return replaced.reduce((count, changes) => count + Number(changes), 0);
    });
  }

  /** Closes the database. */
  close() {
    this.database.close();
  }

  #transact(begin, work) {
    this.database.exec(begin);
    try {
      const result = work();
      this.database.exec('COMMIT');
      return result;
    } catch (error) {
      rollBack(this.database);
      throw error;
    }
  }

  #version(key) {
    return this.#statements.version.get(key)?.version ?? 0;
  }

  #write({ writes, events, notices, vault }) {
    const { write, event, notice, put, shred } = this.#statements;
    for (const { key, version, body, index } of writes) {
      const { record, scope, name, kind, status, parent, labels = {}, createdAt, wakeAt } = index;
      const columns = [record, scope, name, kind, status, parent].map((value) => value ?? null);
      write.run(key, version, body, ...columns, JSON.stringify(labels), createdAt, wakeAt ?? null);
    }
    for (const { key, version, at, fact, scope, body } of events) {
      event.run(key, version, at, fact, scope ?? null, body);
    }
    for (const { coalesce, at, body } of notices) notice.run(coalesce, at, at, body);
    for (const { key, sealed } of vault) {
      if (sealed === undefined) shred.run(key);
      else put.run(key, sealed);
    }
  }
}

function prepare(database) {
  const statement = (sql) => database.prepare(sql);
  return {
    record: statement('SELECT key, version, body FROM handfast_records WHERE key = ?'),
    secret: statement('SELECT key, 1 AS version, sealed AS body FROM handfast_vault WHERE key = ?'),
    version: statement('SELECT version FROM handfast_records WHERE key = ?'),
    write: statement(`
      INSERT INTO handfast_records
        (key, version, body, record, scope, name, kind, status, parent, labels, created_at, wake_at)
      VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
      ON CONFLICT (key) DO UPDATE SET version = excluded.version, body = excluded.body, record = excluded.record,
        scope = excluded.scope, name = excluded.name, kind = excluded.kind, status = excluded.status,
        parent = excluded.parent, labels = excluded.labels, created_at = excluded.created_at, wake_at = excluded.wake_at`),
    event: statement('INSERT INTO handfast_events (key, version, at, fact, scope, body) VALUES (?, ?, ?, ?, ?, ?)'),
    notice: statement(`
      INSERT INTO handfast_notices (coalesce, count, first_at, last_at, body) VALUES (?, 1, ?, ?, ?)
      ON CONFLICT (coalesce) DO UPDATE SET count = count + 1, last_at = max(last_at, excluded.last_at)`),
    put: statement('INSERT OR REPLACE INTO handfast_vault (key, sealed) VALUES (?, ?)'),
    shred: statement('DELETE FROM handfast_vault WHERE key = ?'),
    sealed: statement(
      'SELECT key, 1 AS version, sealed AS body FROM handfast_vault WHERE key > ? ORDER BY key LIMIT ?',
    ),
    reseal: statement('UPDATE handfast_vault SET sealed = ? WHERE key = ? AND sealed = ?'),
    due: statement('SELECT key FROM handfast_records WHERE wake_at <= ? ORDER BY wake_at, key LIMIT ?'),
    nextWake: statement('SELECT min(wake_at) AS at FROM handfast_records WHERE wake_at IS NOT NULL'),
    // A node of a package that has ended is none, also before a sweep has come by.
    subjects: statement(`
      SELECT e.sequence, r.key,
        iif(r.status = 'active' AND p.status NOT IN ('created', 'delivered', 'activated'), 'gone', r.status) AS status
      FROM handfast_events AS e CROSS JOIN handfast_records AS r ON r.key = e.key AND r.version = e.version
      LEFT JOIN handfast_records AS n ON n.key = 'node/' || json_extract(r.body, '$.node')
      LEFT JOIN handfast_records AS p ON p.key = n.parent
      WHERE e.key >= 'subject/' AND e.key < 'subject0' AND e.scope = ? AND e.sequence > ? ORDER BY e.sequence LIMIT ?`),
    scope: statement(`
      SELECT body, (SELECT count(*) FROM handfast_records
        WHERE record = 'package' AND scope = ? AND status = 'activated') AS active
      FROM handfast_records WHERE record = 'scope' AND scope = ?`),
    events: statement(`
      SELECT sequence, key, version, at, fact, scope, body FROM handfast_events
      WHERE (? IS NULL OR key = ?) AND sequence > ? ORDER BY sequence LIMIT ?`),
    notices: statement(`
      SELECT count, coalesce, first_at AS at, body FROM handfast_notices ORDER BY last_at DESC, coalesce LIMIT ?`),
  };
}

/** Readers do not wait for writers, a commit is on the disk when it returns, and what is deleted is overwritten. */
function open(location) {
  const database = new DatabaseSync(location);
  database.exec(`
    PRAGMA busy_timeout = ${BUSY_TIMEOUT};
    PRAGMA journal_mode = WAL;
    PRAGMA synchronous = FULL;
    PRAGMA secure_delete = ON;
  `);
  return database;
}

function makeTables(database) {
  if (columnsOf(database).includes('parent')) {
    database.exec(SQLITE_SCHEMA);
    return;
  }
  database.exec('BEGIN IMMEDIATE');
  try {
    const columns = columnsOf(database);
    database.exec(columns.length > 0 && !columns.includes('parent') ? SQLITE_UPGRADE : SQLITE_SCHEMA);
    database.exec('COMMIT');
  } catch (error) {
    rollBack(database);
    throw error;
  }
}

function columnsOf(database) {
  const columns = database.prepare("SELECT name FROM pragma_table_info('handfast_records')").all();
  return columns.map(({ name }) => name);
}

/** A row with its columns as the core named them. */
function indexed({ key, version, body, labels, created_at: createdAt, wake_at: wakeAt, ...columns }) {
  const index = { ...columns, labels: JSON.parse(labels), createdAt, wakeAt };
  return { key, version, body, index: dropNulls(index) };
}

function dropNulls(row) {
  return Object.fromEntries(Object.entries(row).filter(([, value]) => value !== null));
}

/** SQLite has sometimes done it by itself. */
function rollBack(database) {
  try {
    database.exec('ROLLBACK');
  } catch {
    // There is no transaction any more.
  }
}

function isDatabase(location) {
  return (
    typeof location === 'object' && typeof location?.prepare === 'function' && typeof location?.exec === 'function'
  );
}

function isSecret(key) {
  return key.startsWith('secret/');
}

async function loadSqlite() {
  for (const module of ['node:sqlite', '@photostructure/sqlite']) {
    try {
      return await import(module);
    } catch (error) {
      if (!['ERR_UNKNOWN_BUILTIN_MODULE', 'ERR_MODULE_NOT_FOUND'].includes(error?.code)) throw error;
    }
  }
  throw misuse('no SQLite: use Node.js 22.5 or newer, or `npm install @photostructure/sqlite`');
}
