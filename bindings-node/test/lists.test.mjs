// Lists, the feed of subjects, and the view of a scope, of the SQLite store and of the ledger.
import assert from 'node:assert/strict';
import { it } from 'node:test';

import { Ledger, scopeView } from 'handfast';
import { SqliteStore } from 'handfast/stores/sqlite';

import { recordsQuery } from '../stores/lists.mjs';
import { World } from './support.mjs';

const authority = 'operator:ann';
const EDGES = Array.from({ length: 12 }, (_, number) => `edge-${String(number).padStart(2, '0')}`);
const every = (step, from = 0) => EDGES.filter((_, number) => number % step === from);
const names = (rows) => rows.map(({ index }) => index.name);

/** Thirteen packages, a second apart. */
async function site() {
  const world = new World(new SqliteStore(':memory:'), { kinds: { gateway: { parents: ['site'] } } });
  const { package: parent } = await world.issue('site', { kind: 'site', deliver: false });
  for (const [number, name] of EDGES.entries()) {
    world.clock.advance(1);
    const labels = { zone: number % 2 ? 'north' : 'south', the_rack: String(number) };
    await world.issue(name, { labels, ...(number % 3 === 0 && { kind: 'gateway', parent }) });
  }
  return world;
}

/** The names of a whole list, a page at a time. */
function paged(store, filter, limit) {
  const found = [];
  for (;;) {
    const rows = store.records('package', { ...filter, limit, after: found.at(-1) });
    assert.ok(rows.length <= limit);
    if (rows.length === 0) return names(found);
    found.push(...rows);
  }
}

it('a list is filtered and paged', async () => {
  const { store } = await site();
  const cases = [
    [{}, ['site', ...EDGES]],
    [{ kind: 'gateway' }, every(3)],
    [{ status: 'delivered' }, EDGES],
    [{ status: ['created', 'revoked'] }, ['site']],
    [{ labels: { zone: 'north' } }, every(2, 1)],
    [{ labels: { zone: 'north', the_rack: '3' } }, ['edge-03']],
    [{ labels: { zone: 'west' } }, []],
    [{ labels: { zone: 'north' }, kind: 'gateway' }, ['edge-03', 'edge-09']],
    [{ namePrefix: 'edge-0' }, EDGES.slice(0, 10)],
    [{ namePrefix: 'edge-', labels: { zone: 'south' } }, every(2)],
    [{ name: 'edge-05' }, ['edge-05']],
    [{ scope: 'default', kind: 'gateway', status: 'delivered' }, every(3)],
    [{ scope: 'other' }, []],
  ];
  for (const limit of [1, 2, 5, 100]) {
    for (const [filter, expected] of cases) {
      assert.deepEqual(paged(store, filter, limit), expected, JSON.stringify([filter, limit]));
    }
  }
});

it('a list knows what is below a package', async () => {
  const world = await site();
  const { store } = world;
  const [{ key: parent }] = store.records('package', { name: 'site' });
  const below = store.records('package', { parent });
  assert.deepEqual(names(below), every(3));
  assert.ok(below.every(({ index }) => index.parent === parent));
  const { token, package: id } = await world.issue('fleet', { maxUses: null });
  const nodes = [];
  for (let number = 0; number < 20; number += 1) {
    world.clock.advance(1);
    nodes.push(`node/${(await world.redeem(token, `m${number}`)).node}`);
  }
  const options = { parent: `package/${id}`, status: 'claimed' };
  const first = store.records('node', { ...options, limit: 7 });
  const rest = store.records('node', { ...options, after: first.at(-1) });
  assert.deepEqual(
    [...first, ...rest].map(({ key }) => key),
    nodes,
  );
});

it('a page is found by an index, however long the list', async () => {
  const { store } = await site();
  const [after] = store.records('package', { limit: 1 });
  const filters = [
    {},
    { scope: 'default' },
    { kind: 'gateway' },
    { parent: 'package/a' },
    { labels: { zone: 'north' } },
    { namePrefix: 'edge-' },
    { scope: 'default', status: 'delivered' },
  ];
  for (const filter of filters) {
    const { sql, values } = recordsQuery('package', { ...filter, after, limit: 10 });
    const steps = store.database.prepare(`EXPLAIN QUERY PLAN ${sql}`).all(...values);
    assert.ok(steps.length > 0);
    for (const { detail } of steps) assert.doesNotMatch(detail, /^SCAN|TEMP B-TREE/, JSON.stringify(filter));
  }
});

it('an allow-list is kept in step', async () => {
  const world = new World(new SqliteStore(':memory:'));
  const { token, package: id } = await world.issue('fleet', { maxUses: null });
  const nodes = {};
  for (const machine of ['m1', 'm2', 'm3']) nodes[machine] = (await world.redeem(token, machine)).node;
  const allowed = new Set();
  let seen = 0;
  const follow = () => {
    let count = 0;
    for (;;) {
      const changes = world.store.subjects('default', { after: seen, limit: 2 });
      if (changes.length === 0) return count;
      for (const { subject, status } of changes) allowed[status === 'active' ? 'add' : 'delete'](subject);
      count += changes.length;
      seen = changes.at(-1).sequence;
    }
  };
  assert.deepEqual([follow(), [...allowed]], [3, ['m1', 'm2', 'm3']]);
  await world.run({ type: 'evict', authority, node: nodes.m1 });
  await world.run({ type: 'ban', authority, scope: 'default', subject: 'm2' });
  assert.deepEqual([follow(), [...allowed]], [2, ['m3']]);
  assert.equal(follow(), 0);
  const standing = () => world.store.subjects('default').map(({ status }) => status);
  assert.deepEqual(standing(), ['active', 'gone', 'banned']);
  await world.run({ type: 'revoke', authority, package: id });
  assert.deepEqual(standing(), ['gone', 'gone', 'banned'], 'also before the sweep');
  assert.deepEqual(world.store.subjects('elsewhere'), []);
});

it('a scope says what is promised and in use', async () => {
  const world = new World(new SqliteStore(':memory:'));
  assert.equal(world.store.scope('default'), null);
  const configure = { type: 'configure_scope', authority, scope: 'default' };
  await world.run({ ...configure, maxActive: 5, maxOutstanding: 4 });
  const { token, package: id } = await world.issue('a', { maxUses: 2 });
  await world.issue('b');
  const { node } = await world.redeem(token, 'm1');
  await world.run({ type: 'check_in', node, fingerprint: 'm1', sequence: 1 });
  const promised = { scope: 'default', outstanding: 2, reserved: 3, active: 1 };
  assert.deepEqual(world.store.scope('default'), { ...promised, maxActive: 5, maxOutstanding: 4, free: 2 });
  await world.run(configure);
  assert.deepEqual(world.store.scope('default'), promised);
  const [row] = world.store.read([`package/${id}`]);
  assert.throws(() => scopeView(row, 1), { code: 'invalid_input', path: 'body' });
});

it('a ledger lists packages, nodes and subjects', async () => {
  const ledger = new Ledger();
  const world = new World(ledger);
  for (let number = 0; number < 5; number += 1) {
    world.clock.advance(1);
    await world.issue(`edge-${number}`, { labels: { zone: number % 2 ? 'north' : 'south' } });
  }
  const first = ledger.packages({ limit: 3 });
  assert.deepEqual(names(first.records), ['edge-4', 'edge-3', 'edge-2']);
  assert.deepEqual(names(ledger.packages({ after: first.next }).records), ['edge-1', 'edge-0']);
  assert.deepEqual(names(ledger.packages({ label: 'zone=north' }).records), ['edge-3', 'edge-1']);
  assert.equal(names(ledger.packages({ namePrefix: 'edge', status: 'delivered' }).records)[0], 'edge-0');
  assert.deepEqual(ledger.packages({ scope: 'other', kind: 'node' }), { records: [], next: null });
  const { token, package: id } = await world.issue('fleet', { maxUses: null });
  const { node } = await world.redeem(token, 'm1');
  const [row] = ledger.nodes(id).records;
  assert.deepEqual([row.key, row.index.parent], [`node/${node}`, `package/${id}`]);
  const { next, ...changes } = ledger.subjects('default');
  const standing = { type: 'active', node, package: id };
  assert.deepEqual(changes, { restart: true, subjects: [{ subject: 'm1', standing }], more: false });
  await world.run({ type: 'evict', authority, node });
  const later = ledger.subjects('default', { after: next });
  assert.deepEqual([later.restart, later.subjects], [false, [{ subject: 'm1', standing: { type: 'gone' } }]]);
  for (const wrong of [{ status: 'lost' }, { after: '*' }, { parent: 'x' }]) {
    assert.throws(() => ledger.packages(wrong), { code: 'invalid_input', path: Object.keys(wrong)[0] });
  }
});

it('an unknown filter of a ledger is an error, and not overlooked', () => {
  const ledger = new Ledger();
  assert.throws(() => ledger.packages({ labels: {} }), { code: 'invalid_input', path: 'labels' });
  assert.throws(() => ledger.packages({ namePrefix: '!' }), { code: 'invalid_input', path: 'namePrefix' });
  assert.throws(() => ledger.packages({ status: 'gone' }), { code: 'invalid_input', path: 'status' });
  assert.deepEqual(ledger.packages({ scope: null, limit: 1 }).records, []);
});
