import type { CountedNotice, RecordType, SyncStore } from '../index.js';
import type { Batch, EventRow, Instant, Key, Row, WriteRow } from '../vocabulary.js';

/** The part of a `node:sqlite` database that the store uses. */
export interface Database {
  exec(sql: string): unknown;
  prepare(sql: string): {
    get(...values: any[]): unknown;
    all(...values: any[]): unknown[];
    run(...values: any[]): unknown;
  };
  close(): void;
}

/**
 * A store in one SQLite file, for any number of processes on one machine. The tables are those of every language: a
 * file that was begun from Python or Rust is continued here.
 */
export class SqliteStore implements SyncStore {
  /** Opens or makes the file (or `:memory:`), or takes an open database; makes the tables that are missing. */
  constructor(location: string | URL | Database);
  /** The open database: for queries and tables of your own. */
  readonly database: Database;
  read(keys: readonly Key[]): Row[];
  commit(batch: Batch): boolean;
  due(now?: Instant, limit?: number): Key[];
  /** When something is due next, or `null`: a host may sleep until then. */
  nextWake(): string | null;
  /**
   * Records of one type, the oldest first, at most 100 unless said; `after` the last row of one page gives the next.
   */
  records(
    record?: RecordType,
    options?: { scope?: string; status?: string; name?: string; after?: WriteRow; limit?: number },
  ): WriteRow[];
  /** Facts in the order of their commits, of one record or of all; `after` the last `sequence` gives the next page. */
  events(key?: Key, options?: { after?: number; limit?: number }): (EventRow & { sequence: number })[];
  /** The refusals, counted, the latest first. */
  notices(options?: { limit?: number }): CountedNotice[];
  /** Closes the database. */
  close(): void;
}
