// The conformance suite: the shipped stores pass it, and a wrong one is told what to mend.
import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, describe, it } from 'node:test';

import { InstanceEvent, Ledger } from 'handfast';
import { SqliteStore } from 'handfast/stores/sqlite';
import { checkStore } from 'handfast/testing';

const folder = mkdtempSync(join(tmpdir(), 'handfast-'));
after(() => rmSync(folder, { recursive: true }));

/** The shipped store, which knows its file. */
class InFile extends SqliteStore {
  static made = 0;

  constructor(path = join(folder, `${InFile.made++}.sqlite`)) {
    super(path);
    this.path = path;
    this.database.exec('PRAGMA synchronous = OFF'); // what is tested does not cut the power
  }

  reopened() {
    this.close();
    return new InFile(this.path);
  }
}

describe('the shipped stores', () => {
  it('pass in a file', async () => {
    const reopen = (store) => store.reopened();
    const events = (store, key) => store.events(key).map(({ body }) => body);
    const report = await checkStore(() => new InFile(), { reopen, events });
    assert.ok(report.passed, report.text);
    assert.deepEqual([report.failures, report.skipped], [{}, {}], report.text);
    assert.ok(report.cases.length > 25 && report.cases.every(({ checks }) => checks >= 10), report.text);
    assert.ok(`${report}`.endsWith(`${report.cases.length} passed, 0 failed, 0 skipped (seed 1)`));
  });

  it('pass in memory, without what the driver cannot do', async () => {
    const reopen = (ledger) => Ledger.restore(ledger.snapshot());
    const report = await checkStore(() => new Ledger(), { reopen });
    assert.ok(report.passed, report.text);
    assert.deepEqual(Object.keys(report.skipped), ['history']);
    const once = await checkStore(() => new Ledger(), { seed: 7, stories: ['durable', 'counted_token'] });
    assert.ok(once.passed && once.seed === 7, once.text);
    assert.deepEqual(once.skipped, { durable: 'the driver cannot open the store again' });
  });

  it('pass behind promises', async () => {
    const slow = () => {
      const store = new SqliteStore(':memory:');
      const later =
        (method) =>
        async (...given) => (await null, store[method](...given));
      return { read: later('read'), commit: later('commit'), due: later('due'), close: later('close') };
    };
    const report = await checkStore(async () => slow());
    assert.ok(report.passed, report.text);
  });
});

describe('a wrong store', () => {
  const wrong = (changes) => () => {
    const store = new SqliteStore(':memory:');
    const right =
      (method) =>
      (...given) =>
        store[method](...given);
    const methods = { read: right('read'), commit: right('commit'), due: right('due'), close: right('close') };
    return { ...methods, ...changes(methods) };
  };
  const mistakes = {
    'looks at the guards of writes only': [
      ({ commit }) => ({
        commit: (batch) => {
          const written = new Set(batch.writes.map(({ key }) => key));
          return commit({ ...batch, guards: batch.guards.filter(({ key }) => written.has(key)) });
        },
      }),
      'write_skew',
      /every guard counts, not only those of the rows that are written/,
    ],
    'keeps what is shredded': [
      ({ commit }) => ({
        commit: (batch) => commit({ ...batch, vault: batch.vault.filter(({ sealed }) => sealed !== undefined) }),
      }),
      'shredded_secrets',
      /can still be read after it was shredded/,
    ],
    'gives the latest first': [
      ({ due }) => ({ due: (...given) => due(...given).reverse() }),
      'due_order',
      /the earliest wake_at comes first/,
    ],
    'says nothing': [
      ({ commit }) => ({ commit: (batch) => void commit(batch) }),
      'stale_guard',
      /misuse: commit\(\) of a store gives true or false/,
    ],
    'throws at a conflict': [
      ({ commit }) => ({
        commit: async (batch) => {
          if (!commit(batch)) throw new Error('version conflict');
          return true;
        },
      }),
      'two_writers',
      /a guard that does not hold is no error \(Error: version conflict\)/,
    ],
    'gives no array': [
      ({ read }) => ({ read: (keys) => new Set(read(keys)) }),
      'round_trip',
      /expected an array of rows/,
    ],
  };
  for (const [mistake, [changes, story, sentence]] of Object.entries(mistakes)) {
    it(`that ${mistake} fails the story about it`, async () => {
      const report = await checkStore(wrong(changes), { stories: [story] });
      assert.ok(!report.passed, report.text);
      assert.match(report.failures[story], sentence);
    });
  }

  it('that cannot be made fails every story', async () => {
    const report = await checkStore(() => {
      throw new Error('no space left on device');
    });
    assert.equal(Object.keys(report.failures).length, report.cases.length);
    assert.match(report.text, /no space left on device/);
    assert.ok(!(await checkStore(() => new Ledger(), { stories: ['no such story'] })).passed);
    await assert.rejects(checkStore(), { code: 'misuse' });
  });
});

it('no evidence comes out of the suite', () => {
  assert.equal(InstanceEvent.forTesting, undefined);
  assert.throws(() => new InstanceEvent());
});
