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

/**
 * Runs several commands through a store in one commit where that works out: each is decided on what the ones before it
 * have brought about. One waits for the disk once instead of once for each, and commands about the same record do not
 * conflict with each other. Where something keeps them from it, each is taken by itself, in their order, so that none
 * fails for another one's sake.
 *
 * Gives one answer for each, in their order; what is wrong with a command is a `HandfastError` in its place. What the store
 * throws is thrown; then nobody knows what was committed, as with `run`. At most 256 commands.
 */
export async function runAll(store, commands, { registrar, now, trustedClock } = {}) {
  nativeOf(registrar);
  if (store instanceof Ledger) return store.runAll(registrar, commands, { now, trustedClock });
  const session = registrar.sessionAll(commands);
  for (;;) {
    const step = session.next({ now, trustedClock });
    if (step.type === 'answers') return step.answers;
    if (step.type === 'load') session.loaded(await store.read(step.keys));
    else session.committed(await store.commit(step.batch));
  }
}

/**
 * Seals every secret of a store's vault anew that is not under the current sealing key, and gives how many that were. So a
 * sealing key is rotated: make a new one current at every host and keep the old one in the ring, call this, then take the
 * old one away. May run while others work on the store, and again after a crash. The store is a `Ledger`, a `SqliteStore`,
 * or any object with `sealed({ after })` and `reseal(changes)`.
 */
export async function reseal(store, { registrar } = {}) {
  nativeOf(registrar);
  if (store instanceof Ledger) return store.reseal(registrar);
  let [count, after] = [0, undefined];
  for (;;) {
    const rows = await store.sealed({ after });
    if (rows.length === 0) return count;
    const changes = rows.map((row) => ({ row, sealed: registrar.reseal(row) })).filter(({ sealed }) => sealed !== null);
    count += await store.reseal(changes);
    after = rows.at(-1).key;
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
