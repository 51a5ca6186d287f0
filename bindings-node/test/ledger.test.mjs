// The store in memory: snapshot, replay, and what is due.
import assert from 'node:assert/strict';
import { it } from 'node:test';

import { Ledger } from 'handfast';

import { World } from './support.mjs';

const issue = (name) => ({ type: 'issue', authority: 'operator:ann', name, deliver: true });

async function busy() {
  const world = new World(new Ledger({ recording: true }));
  const { token } = await world.run(issue('edge-1'));
  await world.run(issue('edge-2'));
  await world.run({ type: 'redeem', token, fingerprint: 'machine-1' });
  return world;
}

it('replays its history bit for bit', async () => {
  const { store } = await busy();
  const replayed = Ledger.replay(store.events());
  assert.deepEqual(replayed.records(), store.records());
  assert.deepEqual(Ledger.replay(store.events().map(({ body }) => body)).records(), store.records());
  const gap = store.events().slice(1);
  assert.throws(() => Ledger.replay(gap), { code: 'corrupt_record' });
  const newer = store.events()[0].body.replace('"schema":2', '"schema":3');
  assert.throws(() => Ledger.replay([newer]), { code: 'newer_schema' });
});

it('continues from a snapshot, secrets included', async () => {
  const world = new World(new Ledger());
  const { package: id } = await world.run({ ...issue('edge-1'), deliver: false });
  world.store = Ledger.restore(world.store.snapshot());
  const delivered = await world.run({
    type: 'deliver',
    authority: 'operator:ann',
    to: { type: 'operator', package: id },
  });
  assert.match(delivered.token.expose(), /^hf1_/);
  assert.throws(() => Ledger.restore('nonsense'), { code: 'corrupt_record' });
});

it('says what is due, and when', async () => {
  const { store, clock } = await busy();
  assert.deepEqual(store.due(clock.now), []);
  const next = store.nextWake();
  assert.equal(next, '2026-03-01T12:10:30.000Z');
  assert.equal(store.due(next, 1).length, 1);
  assert.equal(new Ledger().nextWake(), null);
  assert.deepEqual(new Ledger().events(), []);
});

it('gives rows by their keys', async () => {
  const { store } = await busy();
  const [row] = store.records('node');
  assert.deepEqual(store.read([row.key, 'node/n-00000000000000000000000000000000']), [
    { key: row.key, version: row.version, body: row.body },
  ]);
  assert.throws(() => store.read(['nonsense']), { code: 'invalid_input', path: 'keys[0]' });
  assert.equal(store.size, store.snapshot().trimEnd().split('\n').length - 1);
});
