import type { Ledger, Store } from './index.js';
import type { Key } from './vocabulary.js';

/** What came of one story. Its name does not change between versions. */
export interface CaseResult {
  name: string;
  /** What the story is about. */
  about: string;
  /** How many answers and invariants were checked. */
  checks: number;
  /** How it ended; `why` says what is to be mended, or what the story needs. */
  outcome: { type: 'passed' } | { type: 'failed'; why: string } | { type: 'skipped'; why: string };
}

/** What came of all stories; its text has one line for each. */
export class Report {
  private constructor();
  /** Whether stories were told and none failed. Look at `skipped`, too. */
  readonly passed: boolean;
  /** The seed of the dice, to repeat the run. */
  readonly seed: number;
  readonly cases: readonly CaseResult[];
  readonly text: string;
  /** The stories that failed, each with what is to be mended. */
  readonly failures: Record<string, string>;
  /** The stories that were skipped, each with what it needs. */
  readonly skipped: Record<string, string>;
  toString(): string;
}

/**
 * Does your store keep its promises? Every guarantee of handfast rests on the store. This tells it stories that only a
 * right store survives: conflicting writers, write skew, batches that must fail as a whole, crashes between the steps,
 * duplicate and reordered deliveries. They are told one step at a time, so transactions never overlap: what isolation
 * your database gives them under load, read in its manual.
 *
 * @param makeStore gives an empty store, once for each story; the one before is closed if it has a `close`
 */
export function checkStore<S extends Store | Ledger>(
  makeStore: () => S | Promise<S>,
  options?: {
    /** Drops connections, caches and buffers, as a crash would, and opens the same store again; else crashes are skipped. */
    reopen?: (store: S) => S | Promise<S>;
    /** Gives the bodies of a record's events, oldest first; else the story about them is skipped. */
    events?: (store: S, key: Key) => Iterable<string> | Promise<Iterable<string>>;
    /** Seeds the dice, which order the steps of concurrent writers; 1 when left out. */
    seed?: number;
    /** Tells only the stories of these names. */
    stories?: readonly string[];
  },
): Promise<Report>;
