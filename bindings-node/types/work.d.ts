import type { Clock, Ledger, RecordType, Registrar, Secret, Store } from './index.js';
import type { BootstrapSecret } from './kubernetes.js';
import type { Effect, EffectOutcome, Key, WriteRow } from './vocabulary.js';

/** A store that lists what is below a package, as `handfast/stores/sqlite` does. */
export interface ListingStore extends Store {
  records(
    record: RecordType,
    options: { parent: Key; status: readonly string[]; after?: WriteRow },
  ): WriteRow[] | Promise<WriteRow[]>;
}

/** How to work. */
export interface Options extends Clock {
  registrar: Registrar;
  /** The name under which it is reported; `host` when left out. */
  worker?: string;
}

/** Does one effect, with what `reveal` gave for it, and says how it went. */
export type Executor = (
  effect: Effect,
  revealed: BootstrapSecret | Secret | null,
) => EffectOutcome | Promise<EffectOutcome>;

/**
 * Does what is to be done now about up to `limit` records (100 unless said), and reports it: deadlines, sweeps, and, by
 * the executor, the effects. Gives how many effects that was asked for. Whatever it throws ends this: what it had not done
 * is done next time. Call it every second or so. Any number of hosts may do so at once.
 */
export function perform(
  store: ListingStore | Ledger,
  executor: Executor,
  options: Options & { limit?: number },
): Promise<number>;

/**
 * Applies the deadlines of up to `limit` records (100 unless said), performs their sweeps, and gives their other
 * effects: for the host to perform and to report; until then they are given again. What has to wait, or is leased by
 * somebody, is left out. For a loop of your own, with leases or in parallel.
 */
export function outstanding(store: ListingStore | Ledger, options: Options & { limit?: number }): Promise<Effect[]>;

/**
 * Performs one effect of type `sweep`: ends all that is below an ended package, and reports it. `false` when something is
 * left, which then is swept again after a delay.
 */
export function sweep(store: ListingStore | Ledger, effect: Effect, options: Options): Promise<boolean>;
