// The host's loop: deadlines, sweeps, and what is left for executors.
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';

import { Secret, work } from 'handfast';
import { SqliteStore } from 'handfast/stores/sqlite';

import { STORES, World, instanceEvent } from './support.mjs';

const authority = 'operator:ann';
const outstanding = (world) => work.outstanding(world.store, { registrar: world.registrar, now: world.clock.now });

async function live(world, nodes) {
  const views = await Promise.all(nodes.map((node) => world.view(`node/${node}`)));
  return views.filter(({ status }) => status !== 'retired').length;
}

async function fleet(world, size) {
  const { token, package: id } = await world.issue('fleet', { maxUses: null });
  const nodes = [];
  for (let number = 0; number < size; number += 1) nodes.push((await world.redeem(token, `m${number}`)).node);
  await world.run({ type: 'revoke', authority, package: id });
  return { id, nodes };
}

for (const [name, make] of Object.entries(STORES)) {
  describe(`on ${name}`, () => {
    it('a wide fleet ends by a sweep', async () => {
      const world = new World(make());
      const { id, nodes } = await fleet(world, 250);
      assert.ok((await live(world, nodes)) > 200);
      const checkIn = { type: 'check_in', node: nodes[249], fingerprint: 'm249', sequence: 1 };
      assert.equal(await world.refused(checkIn), 'ended', 'until then every check-in sees it');
      assert.deepEqual(await outstanding(world), []);
      assert.equal(await live(world, nodes), 0);
      const [row] = await world.store.read([`package/${id}`]);
      assert.deepEqual(world.registrar.outstanding(row), []);
    });

    it('more children than a package lists end by a sweep', async () => {
      const world = new World(make(), { kinds: { gateway: { parents: ['site'] } } });
      const { package: site } = await world.issue('site', { kind: 'site', deliver: false });
      const children = [];
      for (let number = 0; number < 20; number += 1) {
        children.push((await world.issue(`g${number}`, { kind: 'gateway', parent: site })).package);
      }
      await world.run({ type: 'revoke', authority, package: site });
      const statuses = () => Promise.all(children.map(async (id) => (await world.view(`package/${id}`)).status));
      assert.equal((await statuses()).filter((status) => status === 'delivered').length, 4);
      const [row] = await world.store.read([`package/${site}`]);
      const [effect] = world.registrar.outstanding(row);
      assert.deepEqual(effect.work, { type: 'sweep', package: site });
      const options = { registrar: world.registrar, now: world.clock.now };
      assert.equal(await work.sweep(world.store, effect, options), true);
      assert.deepEqual(new Set(await statuses()), new Set(['revoked']));
    });

    it('deadlines are applied, and effects are given until they are reported', async () => {
      const world = new World(make(), {
        instances: [
          {
            accounts: ['123456789012'],
            scope: 'default',
            kind: 'node',
            contents: [{ type: 'kubernetes_bootstrap_token' }],
          },
        ],
      });
      const { package: unused } = await world.issue('unused', { ttlSeconds: 60 });
      world.clock.advance(60);
      await world.run({ type: 'observe_instance', event: instanceEvent('running', world.clock) });
      const [describe] = await outstanding(world);
      assert.equal(describe.work.type, 'describe_instance');
      assert.equal((await world.view(`package/${unused}`)).status, 'expired');
      assert.deepEqual(await outstanding(world), [describe], 'it was not reported');
      const outcome = { type: 'started', leaseSeconds: 30 };
      await world.run({ type: 'report', authority: 'executor:w1', effect: describe.id, outcome });
      assert.deepEqual(await outstanding(world), [], 'somebody is at it');
      world.clock.advance(30);
      assert.deepEqual(
        (await outstanding(world)).map((effect) => effect.work),
        [describe.work],
      );
      await assert.rejects(work.sweep(world.store, describe, { registrar: world.registrar }), { code: 'misuse' });
    });

    it('an executor is given what it needs, and what it did not do comes again', async () => {
      const world = new World(make());
      const contents = [{ type: 'host', kind: 'client', value: { type: 'drawn' } }];
      await world.issue('edge-1', { contents, deliver: false });
      const given = [];
      const options = { registrar: world.registrar, now: world.clock.now, worker: 'w7' };
      const breaks = (_, revealed) => {
        given.push(revealed);
        throw new Error('the upstream is down');
      };
      await assert.rejects(work.perform(world.store, breaks, options), /the upstream is down/);
      const does = async ({ work: todo }, revealed) => {
        assert.equal(todo.type, 'ensure_host');
        given.push(revealed);
        return { type: 'done' };
      };
      assert.equal(await work.perform(world.store, does, options), 1);
      assert.equal(await work.perform(world.store, does, options), 0);
      assert.ok(given.length === 2 && given[0] instanceof Secret && given[0].equals(given[1]));
      assert.ok(world.store.events().some(({ body }) => body.includes('executor:w7')));
    });
  });
}

/** A store in which one node comes to be between a sweep's first look and its second. */
class Late extends SqliteStore {
  looks = 0;

  records(record, filter) {
    if (record === 'node' && filter.after === undefined) this.looks += 1;
    return super.records(record, filter).filter(({ key }) => this.looks > 1 || key !== this.late);
  }
}

it('a sweep that left something is swept again', async () => {
  const world = new World(new Late(':memory:'));
  const { id, nodes } = await fleet(world, 3);
  const [effect] = world.registrar.outstanding(world.store.read([`package/${id}`])[0]);
  world.store.late = `node/${nodes[1]}`;
  const options = { registrar: world.registrar, now: world.clock.now };
  assert.equal(await work.sweep(world.store, effect, options), false);
  assert.deepEqual(await outstanding(world), [], 'it waits');
  assert.equal(await live(world, nodes), 1);
  world.clock.advance(3600);
  assert.deepEqual(await outstanding(world), []);
  assert.equal(await live(world, nodes), 0);
  assert.deepEqual(world.registrar.outstanding(world.store.read([`package/${id}`])[0]), []);
});
