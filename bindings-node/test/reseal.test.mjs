// A sealing key is rotated.
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';

import { Ledger, Registrar, reseal } from 'handfast';
import { SqliteStore } from 'handfast/stores/sqlite';

import { KEYS, World } from './support.mjs';

const OLD = KEYS.sealing;
const NEW = { current: 'k2', keys: { k2: new Uint8Array(32).fill(3) } };
const BOTH = { current: 'k2', keys: { ...OLD.keys, ...NEW.keys } };
const registrar = (sealing) => new Registrar({ vouchedFingerprints: true }, { ...KEYS, sealing });
const contents = [{ type: 'file', name: 'a', content: 'hunter2' }];

/** The sealed secrets, as they are kept. */
const VAULTS = {
  Ledger: [
    () => new Ledger(),
    (store) =>
      store
        .snapshot()
        .match(/"1\.k[^"]*/g)
        .map((body) => body.slice(1)),
  ],
  SqliteStore: [() => new SqliteStore(':memory:'), (store) => store.sealed({ limit: 10_000 }).map(({ body }) => body)],
};

for (const [name, [make, vault]] of Object.entries(VAULTS)) {
  describe(`the vault of a ${name}`, () => {
    it('goes over to a new key, and the old one is taken away', async () => {
      const world = new World(make());
      const tokens = [];
      // More than a page of them, each with a token and a file.
      for (let number = 0; number < 60; number++)
        tokens.push((await world.issue(`edge-${number}`, { contents })).token);
      const under = (key) => vault(world.store).filter((body) => body.startsWith(`1.${key}.`)).length;
      assert.deepEqual([under('k1'), under('k2')], [120, 0]);
      assert.equal(await reseal(world.store, { registrar: registrar(BOTH) }), 120);
      assert.deepEqual([under('k1'), under('k2')], [0, 120]);
      assert.equal(await reseal(world.store, { registrar: registrar(BOTH) }), 0);
      world.registrar = registrar(NEW);
      const { contents: given } = await world.redeem(tokens[0], 'm1');
      assert.equal(given[0].content.expose(), 'hunter2');
    });

    it('misses a key that was taken away too early', async () => {
      const world = new World(make());
      await world.issue('edge-1');
      await assert.rejects(reseal(world.store, { registrar: registrar(NEW) }), { code: 'missing_key' });
      assert.equal(await reseal(world.store, { registrar: registrar(BOTH) }), 1);
    });
  });
}

it('what is shredded or sealed anew meanwhile stays so', async () => {
  class Slow extends SqliteStore {
    reseal(changes) {
      const [gone, changed] = changes.map(({ row }) => row.key);
      this.database.prepare('DELETE FROM handfast_vault WHERE key = ?').run(gone);
      this.database.prepare("UPDATE handfast_vault SET sealed = 'x' WHERE key = ?").run(changed);
      return super.reseal(changes);
    }
  }
  const world = new World(new Slow(':memory:'));
  for (const name of ['a', 'b', 'c']) await world.issue(name);
  assert.equal(await reseal(world.store, { registrar: registrar(BOTH) }), 1);
  const bodies = world.store.sealed().map(({ body }) => body);
  assert.ok(bodies.length === 2 && bodies.includes('x'));
});

it('one row is sealed anew', async () => {
  const world = new World(new SqliteStore(':memory:'));
  const { package: id } = await world.issue('edge-1');
  const [row] = world.store.sealed();
  const body = registrar(BOTH).reseal(row);
  assert.match(body, /^1\.k2\./);
  assert.equal(registrar(BOTH).reseal({ ...row, body }), null);
  assert.throws(() => registrar(BOTH).reseal({ ...row, body: '1.k1.AAAA' }), { code: 'seal_broken' });
  const [record] = world.store.read([`package/${id}`]);
  assert.throws(() => registrar(BOTH).reseal(record), { code: 'invalid_input', path: 'key' });
});
