// Does your store keep its promises? The conformance suite of handfast, for stores written in JavaScript.
import { rowsOf, take } from './carry.mjs';
import { misuse } from './error.mjs';
import { Ledger, nativeOf } from './ledger.mjs';
import native from './native.mjs';

/** What came of all stories; its text has one line for each. */
export class Report {
  constructor({ passed, text, report }) {
    const { seed, cases } = take(report);
    Object.assign(this, { passed, seed, cases, text });
  }

  /** The stories that failed, each with what is to be mended. */
  get failures() {
    return this.#whys('failed');
  }

  /** The stories that were skipped, each with what it needs. */
  get skipped() {
    return this.#whys('skipped');
  }

  toString() {
    return this.text;
  }

  #whys(type) {
    const cases = this.cases.filter(({ outcome }) => outcome.type === type);
    return Object.fromEntries(cases.map(({ name, outcome }) => [name, outcome.why]));
  }
}

/**
 * Tells the stories to a store, which may be asynchronous. `makeStore()` gives an empty store, once for each story; the
 * one before is closed if it has a `close`. `reopen(store)` drops connections, caches and buffers, as a crash of the
 * process would, and gives the same store opened again; without it the crashes are skipped. `events(store, key)` gives
 * the bodies of a record's events, oldest first; without it the story about them is skipped.
 */
export async function checkStore(makeStore, { reopen, events, seed = 1, stories } = {}) {
  if (typeof makeStore !== 'function') throw misuse('checkStore takes a function that makes an empty store');
  const suite = new native.Conformance(seed, stories);
  const driver = { makeStore, reopen, events, store: undefined };
  try {
    for (;;) {
      const step = suite.next();
      if (step.step === 'done') return new Report(step);
      try {
        await answer(suite, step, driver);
      } catch (error) {
        suite.failed(String(error));
      }
    }
  } finally {
    await driver.store?.close?.();
  }
}

async function answer(suite, { step, keys, batch, now, limit, key }, driver) {
  const { store } = driver;
  switch (step) {
    case 'fresh':
      driver.store = undefined;
      await store?.close?.();
      driver.store = await driver.makeStore();
      return suite.ready();
    case 'read':
      return suite.rows(rowsOf(await store.read(keys)));
    case 'commit':
      if (store instanceof Ledger) return suite.commitTo(nativeOf(store));
      return suite.held(yesOrNo(await store.commit(take(batch))));
    case 'due':
      return suite.keys([...(await store.due(now, limit))]);
    case 'reopen':
      if (driver.reopen === undefined) return suite.unable();
      driver.store = await driver.reopen(store);
      return suite.ready();
    default:
      if (driver.events === undefined) return suite.unable();
      return suite.events([...(await driver.events(store, key))]);
  }
}

function yesOrNo(held) {
  if (typeof held !== 'boolean') throw misuse('commit() of a store gives true or false');
  return held;
}
