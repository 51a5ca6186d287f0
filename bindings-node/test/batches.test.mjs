// Several commands in one commit.
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';

import { HandfastError, Registrar, runAll } from 'handfast';
import { SqliteStore } from 'handfast/stores/sqlite';

import { KEYS, STORES, World } from './support.mjs';

const issue = (number) => ({
  type: 'issue',
  authority: 'operator:ann',
  scope: 'full',
  name: `edge-${number}`,
  deliver: true,
});
const issues = (count) => Array.from({ length: count }, (_, number) => issue(number));
const codes = (answers) => answers.map((answer) => answer.code ?? answer.type);

class Batches extends World {
  runAll(commands) {
    return runAll(this.store, commands, { registrar: this.registrar, now: this.clock.now });
  }
}

/** Counts its commits; the first `conflicts` of them do not hold. */
class Counting extends SqliteStore {
  commits = 0;

  constructor(conflicts = 0) {
    super(':memory:');
    this.conflicts = conflicts;
  }

  commit(batch) {
    this.commits++;
    return this.commits > this.conflicts && super.commit(batch);
  }
}

for (const [name, make] of Object.entries(STORES)) {
  describe(`a batch on ${name}`, () => {
    it('decides each on what those before it have brought about', async () => {
      const world = new Batches(make());
      await world.run({ type: 'configure_scope', authority: 'operator:ann', scope: 'full', maxActive: 3 });
      const issued = await world.runAll(issues(5));
      assert.deepEqual(codes(issued), ['issued', 'issued', 'issued', 'quota_exceeded', 'quota_exceeded']);
      const [{ token }] = issued;
      const redeems = ['a', 'b', 'a'].map((fingerprint) => ({ type: 'redeem', token, fingerprint }));
      const answers = await world.runAll(redeems);
      assert.deepEqual(codes(answers), ['redeemed', 'already_claimed', 'redeemed']);
      assert.deepEqual([answers[0].again, answers[2].again], [false, true]);
    });

    it('lets none fail for the sake of another one', async () => {
      const world = new Batches(make());
      const { token } = await world.issue('edge-0');
      // The pepper of that token has been taken away since: its redemption is an error of the operator's.
      const peppers = { current: 'k9', keys: { k9: new Uint8Array(32).fill(9) } };
      world.registrar = new Registrar({ vouchedFingerprints: true }, { ...KEYS, peppers });
      const answers = await world.runAll([
        { ...issue(4), ttl: 60 },
        issue(1),
        { type: 'redeem', token, fingerprint: 'a' },
        { ...issue(5), ttlSeconds: 1 },
        { ...issue(6), notes: { $secret: 5 } },
        null,
        issue(2),
      ]);
      const input = 'invalid_input';
      assert.deepEqual(codes(answers), [input, 'issued', 'missing_key', input, input, input, 'issued']);
      assert.deepEqual([answers[0].path, answers[3].path], ['ttl', 'ttlSeconds']);
      for (const place of [0, 2, 3, 4, 5]) assert.ok(answers[place] instanceof HandfastError);
    });

    it('may be empty, and has a limit', async () => {
      const world = new Batches(make());
      assert.deepEqual(await world.runAll([]), []);
      assert.deepEqual(codes(await world.runAll(new Set(issues(1)))), ['issued']);
      await assert.rejects(world.runAll(issues(257)), { code: 'invalid_input', path: 'commands' });
    });
  });
}

describe('a batch', () => {
  it('is one commit, and is decided again after a conflict', async () => {
    for (const conflicts of [0, 2]) {
      const world = new Batches(new Counting(conflicts));
      assert.deepEqual(codes(await world.runAll(issues(20))), Array(20).fill('issued'));
      assert.equal(world.store.commits, conflicts + 1);
    }
  });

  it('that always conflicts is taken one by one', async () => {
    const world = new Batches(new Counting(Infinity));
    assert.deepEqual(codes(await world.runAll(issues(2))), ['busy', 'busy']);
    assert.deepEqual(world.store.records(), []);
  });

  it('throws what its store throws', async () => {
    const world = new Batches(new SqliteStore(':memory:'));
    world.store.commit = () => {
      throw new Error('the disk is full');
    };
    await assert.rejects(world.runAll(issues(1)), { message: 'the disk is full' });
  });

  it('tells a driver that does not do what it is asked', () => {
    const { registrar } = new Batches();
    const session = registrar.sessionAll(issues(1));
    assert.equal(session.next().type, 'load');
    assert.throws(() => session.next(), { code: 'misuse' });
    assert.throws(() => registrar.sessionAll(issues(1)).committed(true), { code: 'misuse' });
  });
});
