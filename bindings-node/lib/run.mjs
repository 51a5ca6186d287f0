import { misuse } from './error.mjs';
import { Ledger } from './ledger.mjs';
import { nativeOf } from './registrar.mjs';

/**
 * Runs a command through a store and gives its answer; a refusal is an answer. The store is a `Ledger`, a
 * `SqliteStore`, or any object with `read(keys)`, `commit(batch)` and `due(now, limit)`, each of which may be
 * asynchronous. A commit that conflicts with somebody else's is decided again.
 */
export async function run(store, command, { registrar, now, trustedClock } = {}) {
  nativeOf(registrar);
  if (store instanceof Ledger) return store.run(registrar, command, { now, trustedClock });
  const session = registrar.session(command);
  for (;;) {
    const step = session.next({ now, trustedClock });
    if (step.type === 'answer') return step.answer;
    if (step.type === 'load') session.loaded(await store.read(step.keys));
    else session.committed(await store.commit(step.batch));
  }
}

/** The same as `run`, for stores whose methods are synchronous. */
export function runSync(store, command, { registrar, now, trustedClock } = {}) {
  nativeOf(registrar);
  if (store instanceof Ledger) return store.run(registrar, command, { now, trustedClock });
  const session = registrar.session(command);
  for (;;) {
    const step = session.next({ now, trustedClock });
    if (step.type === 'answer') return step.answer;
    if (step.type === 'load') session.loaded(atOnce(store.read(step.keys)));
    else session.committed(atOnce(store.commit(step.batch)));
  }
}

/** Says what would come of a command, without doing it ("why would this be refused at 14:05?"). */
export async function explain(store, command, { registrar, now, trustedClock } = {}) {
  nativeOf(registrar);
  if (store instanceof Ledger) return store.explain(registrar, command, { now, trustedClock });
  const keys = [];
  for (;;) {
    const rows = await store.read(keys);
    const explanation = registrar.explain(command, { keys, rows, now, trustedClock });
    if (explanation.type !== 'need') return explanation;
    keys.push(...explanation.keys);
  }
}

/** Reads what an executor needs for an effect from the vault, and opens it; `null` when the effect needs nothing. */
export async function reveal(store, effect, { registrar } = {}) {
  nativeOf(registrar);
  return registrar.reveal(effect, await store.read(registrar.vaultKeys(effect)));
}

function atOnce(result) {
  if (typeof result?.then === 'function') throw misuse('this store is asynchronous: use run');
  return result;
}
