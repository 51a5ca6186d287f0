import type { CountedNotice, RecordType, Resealed, SyncStore, Vault } from '../index.js';
import type { Batch, EventRow, Instant, Key, Row, ScopeView, WriteRow } from '../vocabulary.js';

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

/** Which records are wanted, and where to go on. */
export interface ListOptions {
  scope?: string;
  /** One of them. */
  status?: string | readonly string[];
  kind?: string;
  name?: string;
  /** The list is in the order of names then. */
  namePrefix?: string;
  /** All of them. */
  labels?: Record<string, string>;
  /** The key of the package that a node belongs to, or that a package sits under. */
  parent?: Key;
  /** The last row of the page before. */
  after?: WriteRow;
  /** 100 when left out. */
  limit?: number;
}

/** How a subject stands: only one that is `active` is a node. */
export interface SubjectChange {
  sequence: number;
  subject: string;
  status: 'active' | 'expected' | 'banned' | 'gone';
}

/**
 * A store in one SQLite file, for any number of processes on one machine. The tables are those of every language: a
 * file that was begun from Python or Rust is continued here.
 */
export class SqliteStore implements SyncStore, Vault {
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
   * Records of one type, the oldest first, at most 100 unless said; `after` the last row of one page gives the next. All
   * that is given must hold.
   */
  records(record?: RecordType, options?: ListOptions): WriteRow[];
  /**
   * The subjects of a scope in the order of their latest changes, each with how it stands now. `after` the last
   * `sequence` that you have seen gives what has changed since: so a host keeps an allow-list in step.
   */
  subjects(scope: string, options?: { after?: number; limit?: number }): SubjectChange[];
  /** What is promised in a scope and what of it is in use; `null` for one that was never configured. */
  scope(scope: string): ScopeView | null;
  /** Facts in the order of their commits, of one record or of all; `after` the last `sequence` gives the next page. */
  events(key?: Key, options?: { after?: number; limit?: number }): (EventRow & { sequence: number })[];
  /** The refusals, counted, the latest first. */
  notices(options?: { limit?: number }): CountedNotice[];
  /** Sealed secrets in the order of their keys, at most 100 unless said; `after` the last key of one page gives the next. */
  sealed(options?: { after?: Key; limit?: number }): Row[];
  /** Replaces sealed secrets in one transaction, each if it is still as it was read, and gives how many that were. */
  reseal(changes: readonly Resealed[]): number;
  /** Closes the database. */
  close(): void;
}
