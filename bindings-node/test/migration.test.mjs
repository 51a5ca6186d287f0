// What earlier versions wrote is read, and goes on: snapshots, histories, and SQLite files.
import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { it } from 'node:test';

import { Ledger } from 'handfast';
import { SqliteStore } from 'handfast/stores/sqlite';

import { World, file } from './support.mjs';

const authority = 'operator:ann';
const SNAPSHOT = file('core/vectors/ledger/snapshot-schema-1.jsonl').toString();
const EVENTS = file('core/vectors/ledger/events-schema-1.jsonl').toString().trimEnd().split('\n');
const DATABASE = file('core/vectors/ledger/sqlite-schema-1.sql').toString();

/** A file that the first schema made. */
function old(test) {
  const folder = mkdtempSync(join(tmpdir(), 'handfast-'));
  test.after(() => rmSync(folder, { recursive: true }));
  const path = join(folder, 'handfast.sqlite');
  const store = new SqliteStore(path);
  const tables = store.database.prepare(
    "SELECT name FROM sqlite_schema WHERE type = 'table' AND name LIKE 'handfast%'",
  );
  for (const { name } of tables.all()) store.database.exec(`DROP TABLE ${name}`);
  store.database.exec(DATABASE);
  store.close();
  return path;
}

function world(store) {
  const made = new World(store);
  made.clock.now = new Date('2026-01-02T03:06:00Z');
  return made;
}

it('a snapshot of schema 1 goes on', async () => {
  const ledger = Ledger.restore(SNAPSHOT);
  assert.ok(ledger.snapshot().startsWith('{"format":"handfast snapshot","schema":2'));
  assert.deepEqual(Ledger.restore(ledger.snapshot()).records(), ledger.records());
  assert.deepEqual(Ledger.replay(EVENTS).records(), ledger.records());
  const [live] = ledger.packages({ namePrefix: 'edge-2' }).records;
  assert.equal(live.index.status, 'delivered');
  const revoke = { type: 'revoke', authority, package: live.key.slice(8) };
  assert.equal((await world(ledger).run(revoke)).type, 'revoked');
});

it('a file of the first schema is brought up to date, once', (test) => {
  const path = old(test);
  for (const _ of [1, 2]) {
    const store = new SqliteStore(path);
    const types = ['package', 'name', 'subject', 'node', 'instance'];
    const stored = types.flatMap((type) => store.records(type, { limit: 1000 }));
    const index = (rows) => Object.fromEntries(rows.map((row) => [row.key, { labels: {}, ...row.index }]));
    assert.deepEqual(index(stored), index(Ledger.restore(SNAPSHOT).records()), 'every column is as the core writes it');
    assert.deepEqual(
      store.records('package', { labels: { site: 'north' } }).map((row) => row.index.name),
      ['edge-1'],
    );
    const [node] = store.records('node', { status: 'active' });
    assert.deepEqual(store.records('node', { parent: node.index.parent }), [node]);
    const active = store.subjects('default').filter(({ status }) => status === 'active');
    assert.deepEqual(
      active.map(({ subject }) => subject),
      ['machine-1', 'machine-3'],
    );
    assert.equal(store.events().length, EVENTS.length);
    store.close();
  }
});

it('what the file holds goes on', async (test) => {
  const store = new SqliteStore(old(test));
  const host = world(store);
  const [{ key }] = store.records('package', { name: 'edge-3' });
  const [node] = store.records('node', { parent: key });
  const { token } = await host.run({ type: 'reissue', authority, package: key.slice(8), deliver: true });
  assert.notEqual(`node/${(await host.redeem(token, 'machine-4')).node}`, node.key);
  await host.run({ type: 'revoke', authority, package: key.slice(8) });
  assert.deepEqual(
    store.records('node', { parent: key }).map(({ index }) => index.status),
    ['retired', 'retired'],
  );
  const replayed = Ledger.replay(store.events(null, { limit: 1000 }));
  assert.deepEqual(
    replayed.read([key]),
    store.read([key]).map((row) => ({ ...row })),
    'the whole history still gives every record',
  );
  store.close();
});
