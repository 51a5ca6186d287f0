// The host's loop: deadlines that have come, sweeps, and the effects that the host's own executors perform.
//
// Any number of hosts may be at it at once: what two of them do at the same time is done once, and every effect can be
// done twice.
import { misuse } from './error.mjs';
import { Ledger } from './ledger.mjs';
import { reveal, run } from './run.mjs';
import { moment } from './carry.mjs';
import native from './native.mjs';

/**
 * Does what is to be done now about up to `limit` records, and reports it as `worker`: deadlines, sweeps, and, by
 * `executor(effect, revealed)`, the effects. Gives how many effects that was asked for. Whatever it throws ends this: what
 * it had not done is done next time. Call it every second or so.
 */
export async function perform(store, executor, { limit, worker = 'host', ...options } = {}) {
  const effects = await outstanding(store, { limit, worker, ...options });
  for (const effect of effects) {
    const outcome = await executor(effect, await reveal(store, effect, options));
    await run(store, { type: 'report', effect: effect.id, outcome, authority: `executor:${worker}` }, options);
  }
  return effects.length;
}

/**
 * Applies the deadlines of up to `limit` records, performs their sweeps as `worker`, and gives their other effects: for
 * the host to perform and to report; until then they are given again. What has to wait, or is leased by somebody, is
 * left out. For a loop of your own, with leases or in parallel.
 */
export async function outstanding(store, { registrar, worker = 'host', now, trustedClock, limit = 100 } = {}) {
  const options = { registrar, now, trustedClock };
  const present = native.timestamp(moment(now));
  const effects = [];
  for (const key of await store.due(now, limit)) {
    await run(store, { type: 'expire', key }, options);
    for (const row of await store.read([key])) {
      for (const effect of registrar.outstanding(row)) {
        if ((effect.notBefore ?? '') > present) continue;
        if (effect.work.type === 'sweep') await sweep(store, effect, { ...options, worker });
        else effects.push(effect);
      }
    }
  }
  return effects;
}

/**
 * Performs one effect of type `sweep`: ends all that is below an ended package, and reports it as `worker`. `false` when
 * something is left, which then is swept again after a delay.
 */
export async function sweep(store, effect, { registrar, worker = 'host', now, trustedClock } = {}) {
  const options = { registrar, now, trustedClock };
  if (effect.work.type !== 'sweep') throw misuse(`an effect of type ${effect.work.type} is no sweep`);
  const { package: id } = effect.work;
  for await (const key of below(store, id)) await run(store, { type: 'expire', key }, options);
  const { done } = await below(store, id).next();
  const outcome = { type: done ? 'done' : 'unknown' };
  await run(store, { type: 'report', effect: effect.id, outcome, authority: `executor:${worker}` }, options);
  return done;
}

const LIVE = { node: ['claimed', 'active'], package: ['created', 'delivered', 'activated'] };

/** The keys of the live nodes and packages right below a package. */
async function* below(store, id) {
  for (const [record, live] of Object.entries(LIVE)) {
    for await (const rows of pages(store, record, id, live)) {
      yield* rows.filter(({ index }) => live.includes(index.status)).map(({ key }) => key);
    }
  }
}

async function* pages(store, record, id, live) {
  if (store instanceof Ledger) {
    let after;
    do {
      const page = record === 'node' ? store.nodes(id, { after }) : store.packages({ parent: id, after });
      yield page.records;
      after = page.next;
    } while (after);
    return;
  }
  const below = { parent: `package/${id}`, status: live };
  for (let rows = await store.records(record, below); rows.length > 0; ) {
    yield rows;
    rows = await store.records(record, { ...below, after: rows.at(-1) });
  }
}
