// The SQLite store: one file, many processes, nothing half done.
import assert from 'node:assert/strict';
import { mkdtempSync, readFileSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, describe, it } from 'node:test';
import { Worker } from 'node:worker_threads';

import { Secret, runSync } from 'handfast';
import { SqliteStore } from 'handfast/stores/sqlite';

import { World, registrar } from './support.mjs';

const folder = mkdtempSync(join(tmpdir(), 'handfast-'));
after(() => rmSync(folder, { recursive: true }));
const path = (name) => join(folder, `${name}.sqlite`);
const issue = (more) => ({ type: 'issue', authority: 'operator:ann', name: 'edge-1', deliver: true, ...more });

describe('a file', () => {
  it('is continued after a restart', async () => {
    const world = new World(new SqliteStore(path('restart')));
    const { package: id } = await world.run(issue({ deliver: false }));
    world.store.close();
    world.store = new SqliteStore(path('restart'));
    const to = { type: 'operator', package: id };
    const { token } = await world.run({ type: 'deliver', authority: 'operator:ann', to });
    assert.equal((await world.run({ type: 'redeem', token, fingerprint: 'machine-1' })).type, 'redeemed');
    world.store.close();
  });

  it('keeps no secret readable, and destroys what is spent', async () => {
    const world = new World(new SqliteStore(path('secrets')));
    const vault = () => world.store.database.prepare('SELECT count(*) AS rows FROM handfast_vault').get().rows;
    const contents = [{ type: 'file', name: 'a', content: new Secret('hunter2-hunter2') }];
    const { token } = await world.run(issue({ contents }));
    const { node } = await world.run({ type: 'redeem', token, fingerprint: 'machine-1' });
    assert.ok(vault() > 0);
    const sealed = world.store.database.prepare('SELECT sealed FROM handfast_vault').all();
    await world.run({ type: 'check_in', node, fingerprint: 'machine-1', sequence: 1 });
    world.clock.advance(3600);
    await world.expire();
    assert.equal(vault(), 0);
    world.store.database.exec('PRAGMA wal_checkpoint(TRUNCATE)');
    const bytes = readdirSync(folder)
      .filter((name) => name.startsWith('secrets'))
      .map((name) => readFileSync(join(folder, name)));
    for (const text of ['hunter2-hunter2', token.expose().slice(-20), ...sealed.map((row) => row.sealed)]) {
      assert.ok(!Buffer.concat(bytes).includes(text));
    }
    world.store.close();
  });

  it('has WAL, full synchronisation and the tables of every language', () => {
    const { database } = new SqliteStore(path('pragmas'));
    const pragma = (name) => Object.values(database.prepare(`PRAGMA ${name}`).get())[0];
    assert.deepEqual([pragma('journal_mode'), pragma('synchronous'), pragma('secure_delete')], ['wal', 2, 1]);
    const tables = database
      .prepare("SELECT name FROM sqlite_schema WHERE type = 'table' AND name LIKE 'handfast%'")
      .all();
    assert.deepEqual(tables.map(({ name }) => name).sort(), [
      'handfast_events',
      'handfast_labels',
      'handfast_notices',
      'handfast_records',
      'handfast_vault',
    ]);
    database.close();
  });

  it('takes an open database of the host', async () => {
    const { database } = new SqliteStore(':memory:');
    database.exec('CREATE TABLE mine (id TEXT)');
    const world = new World(new SqliteStore(database));
    assert.equal((await world.run(issue())).type, 'issued');
    assert.deepEqual(database.prepare('SELECT count(*) AS rows FROM mine').get().rows, 0);
  });
});

describe('a commit', () => {
  const load = (store, session, now) => {
    let step = session.next({ now });
    while (step.type === 'load') {
      session.loaded(store.read(step.keys));
      step = session.next({ now });
    }
    return step;
  };

  it('that a failure interrupts leaves nothing behind', () => {
    const store = new SqliteStore(':memory:');
    const { batch } = load(store, registrar().session(issue()), new Date());
    const broken = { ...batch, events: [...batch.events, batch.events[0]] };
    assert.throws(() => store.commit(broken), /UNIQUE/);
    assert.deepEqual([store.records(), store.events()], [[], []]);
    assert.equal(store.commit(batch), true);
  });

  it('whose guards do not hold changes nothing and is decided again', () => {
    const store = new SqliteStore(':memory:');
    const one = registrar().session(issue());
    const now = new Date();
    const first = load(store, one, now);
    runSync(store, issue(), { registrar: registrar(), now });
    const before = store.events();
    assert.equal(store.commit(first.batch), false);
    assert.deepEqual(store.events(), before);
    one.committed(false);
    const second = load(store, one, now);
    one.committed(store.commit(second.batch));
    assert.deepEqual([one.next({ now }).answer.code], ['name_taken']);
  });

  it('that always conflicts ends in busy', () => {
    const hostile = { read: () => [], commit: () => false, due: () => [] };
    assert.throws(() => runSync(hostile, issue(), { registrar: registrar() }), { code: 'busy' });
  });
});

describe('a race', () => {
  it('between sessions has exactly one winner', () => {
    const store = new SqliteStore(':memory:');
    const now = new Date('2026-03-01T12:00:30Z');
    const { token } = runSync(store, issue(), { registrar: registrar(), now });
    const redeem = (number) => ({ type: 'redeem', token, fingerprint: `machine-${number}` });
    let racing = Array.from({ length: 8 }, (_, number) => ({ session: registrar().session(redeem(number)) }));
    const answers = [];
    while (racing.length > 0) {
      // All of them read, then all of them commit: the worst interleaving there is.
      for (const racer of racing) racer.step = racer.session.next({ now });
      for (const { session, step } of racing) {
        if (step.type === 'load') session.loaded(store.read(step.keys));
        if (step.type === 'commit') session.committed(store.commit(step.batch));
        if (step.type === 'answer') answers.push(step.answer);
      }
      racing = racing.filter(({ step }) => step.type !== 'answer');
    }
    const codes = answers.map(({ type, code }) => code ?? type).sort();
    assert.deepEqual(codes, [...Array(7).fill('already_claimed'), 'redeemed']);
  });

  it('between threads on one file has exactly as many winners as uses', { timeout: 60_000 }, async () => {
    const store = new SqliteStore(path('race'));
    const { token } = runSync(store, issue({ maxUses: 3 }), { registrar: registrar() });
    const start = Buffer.from(new SharedArrayBuffer(4));
    const workers = Array.from({ length: 4 }, (_, number) => {
      const workerData = { path: path('race'), token: token.expose(), number, start: start.buffer };
      return new Worker(new URL('race-worker.mjs', import.meta.url), { workerData });
    });
    await Promise.all(workers.map((worker) => new Promise((resolve) => worker.once('message', resolve))));
    const signal = new Int32Array(start.buffer);
    Atomics.store(signal, 0, 1);
    Atomics.notify(signal, 0);
    const done = workers.map(
      (worker) => new Promise((resolve, reject) => worker.once('message', resolve).once('error', reject)),
    );
    const codes = (await Promise.all(done)).flat().sort();
    assert.deepEqual(codes, [...Array(21).fill('already_claimed'), ...Array(3).fill('redeemed')]);
    const versions = store.events().map(({ key, version }) => `${key}#${version}`);
    assert.equal(new Set(versions).size, versions.length);
    store.close();
  });
});
