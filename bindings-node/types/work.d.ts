import type { Clock, Ledger, RecordType, Registrar, Store } from './index.js';
import type { Effect, Key, WriteRow } from './vocabulary.js';

/** A store that lists what is below a package, as `handfast/stores/sqlite` does. */
export interface ListingStore extends Store {
  records(
    record: RecordType,
    options: { parent: Key; status: readonly string[]; after: WriteRow | undefined },
  ): WriteRow[] | Promise<WriteRow[]>;
}

/** How to work. */
export interface Options extends Clock {
  registrar: Registrar;
  /** The name under which sweeps are reported; `sweeper` when left out. */
  worker?: string;
}

/**
 * Applies the deadlines of up to `limit` records (100 unless said), performs their sweeps, and gives their other
 * effects: for the host to perform and to report; until then they are given again. What has to wait, or is leased by
 * somebody, is left out. Call it every second or so. Any number of hosts may do so at once.
 */
export function outstanding(store: ListingStore | Ledger, options: Options & { limit?: number }): Promise<Effect[]>;

/**
 * Performs one effect of type `sweep`: ends all that is below an ended package, and reports it. `false` when something is
 * left, which then is swept again after a delay.
 */
export function sweep(store: ListingStore | Ledger, effect: Effect, options: Options): Promise<boolean>;
