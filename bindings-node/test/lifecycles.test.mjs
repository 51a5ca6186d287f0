// Quotas, keepers, new tokens, links, parents, pools, and how nodes go: each on every kind of store.
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';

import { Secret, explain, reveal, work } from 'handfast';

import { STORES, World } from './support.mjs';

const authority = 'operator:ann';
const CLIENT = { type: 'host', kind: 'client', value: { type: 'drawn' } };
const apply = (world, name, version) =>
  world.issue(name, { deliver: false, keepers: { the_version: version }, contents: [CLIENT] });
const revoke = (world, id) => world.run({ type: 'revoke', authority, package: id });

/** Somebody else's service that refuses an eleventh client. */
class Upstream {
  clients = new Set();
  most = 0;

  perform(todo) {
    if (todo.type === 'ensure_host') this.clients.add(todo.resource.name);
    if (todo.type === 'delete_host') this.clients.delete(todo.name);
    assert.ok(this.clients.size <= 10, 'the upstream refuses');
    this.most = Math.max(this.most, this.clients.size);
  }
}

for (const [name, make] of Object.entries(STORES)) {
  describe(`on ${name}`, () => {
    it('ten clients are ten, however often they are applied, replaced and destroyed', async () => {
      const world = new World(make());
      const configure = { type: 'configure_scope', authority, scope: 'default', maxActive: 10 };
      assert.deepEqual(await world.run(configure), { type: 'configured', changed: true });
      assert.deepEqual(await world.run(configure), { type: 'configured', changed: false });
      const eleventh = { type: 'issue', authority, name: 'eleventh' };
      const upstream = new Upstream();
      let packages;
      for (const version of ['1', '2', '3']) {
        packages = [];
        for (let number = 0; number < 10; number += 1) {
          packages.push((await apply(world, `client-${number}`, version)).package);
        }
        assert.equal(await world.refused(eleventh), 'quota_exceeded');
        await world.settle((todo) => upstream.perform(todo));
        assert.equal(upstream.clients.size, 10);
      }
      assert.equal(upstream.most, 10);
      for (const id of packages) await revoke(world, id);
      assert.equal(await world.refused(eleventh), 'quota_exceeded');
      await world.settle((todo) => upstream.perform(todo));
      const scope = await world.view('scope/default');
      assert.deepEqual([scope.reserved, scope.outstanding, upstream.clients.size], [0, 0, 0]);
    });

    it('the same keepers are the same package, and others replace it', async () => {
      const world = new World(make());
      const first = await apply(world, 'edge-1', '1');
      assert.deepEqual(await world.settle(), ['ensure_host']);
      const again = await apply(world, 'edge-1', '1');
      assert.deepEqual([again.again, again.package], [true, first.package]);
      const second = await apply(world, 'edge-1', '2');
      const old = await world.view(`package/${first.package}`);
      assert.deepEqual([old.status, old.endReason.type], ['revoked', 'replaced']);
      const [row] = await world.store.read([`package/${second.package}`]);
      assert.deepEqual(world.registrar.outstanding(row), [], "the new client waits for the old one's end");
      assert.deepEqual(await world.settle(), ['delete_host', 'ensure_host']);
    });

    it('what an executor needs is revealed, and given to the node', async () => {
      const world = new World(make());
      const { package: id } = await apply(world, 'edge-1', '1');
      const options = { registrar: world.registrar, now: world.clock.now };
      const [ensure] = await work.outstanding(world.store, options);
      const value = await reveal(world.store, ensure, options);
      assert.ok(value instanceof Secret);
      assert.equal(value.expose().length, 43);
      const deliver = { type: 'deliver', authority, to: { type: 'operator', package: id } };
      assert.equal(await world.refused(deliver), 'not_ready');
      const outcome = { type: 'failed', reason: 'upstream is down' };
      await world.run({ type: 'report', authority: 'executor:w1', effect: ensure.id, outcome });
      assert.equal((await world.view(`package/${id}`)).resources[0].reason, 'upstream is down');
      assert.deepEqual(await work.outstanding(world.store, options), [], 'it waits');
      world.clock.advance(60);
      await world.settle();
      const { token } = await world.run(deliver);
      const { contents } = await world.redeem(token, 'machine-1');
      assert.ok(contents[0].type === 'host' && contents[0].value.equals(value));
    });

    it('a new token replaces the old one at once, or after its first use', async () => {
      const world = new World(make());
      const { package: id, token: first } = await world.issue('edge-1');
      const reissue = { type: 'reissue', authority, package: id, deliver: true };
      const second = await world.run({ ...reissue, request: 'r-1' });
      assert.deepEqual([second.type, second.oldUntil, second.again], ['reissued', undefined, false]);
      const again = await world.run({ ...reissue, request: 'r-1' });
      assert.ok(again.again && again.token.equals(second.token));
      const redeem = (token) => ({ type: 'redeem', token, fingerprint: 'machine-1' });
      assert.equal(await world.refused(redeem(first)), 'unknown_token');
      const third = await world.run({ ...reissue, makeBeforeBreak: true, graceSeconds: 60 });
      assert.equal(third.oldUntil, '2026-03-01T12:01:30.000Z');
      const options = { registrar: world.registrar, now: world.clock.now };
      assert.equal((await explain(world.store, redeem(second.token), options)).type, 'accepted', 'both are good');
      await world.redeem(third.token, 'machine-1');
      assert.equal(await world.refused(redeem(second.token)), 'unknown_token');
    });

    it('a link is followed once', async () => {
      const world = new World(make());
      const { package: id } = await world.issue('edge-1', { deliver: false });
      const linked = await world.run({ type: 'make_link', authority, package: id, ttlSeconds: 60 });
      assert.deepEqual([linked.type, linked.expiresAt], ['linked', '2026-03-01T12:01:30.000Z']);
      assert.ok(!JSON.stringify(linked).includes('hfl1_'));
      world.clock.advance(59);
      const follow = (source) => ({ type: 'deliver', to: { type: 'link', link: linked.link }, source });
      const delivered = await world.run(follow('192.0.2.7'));
      assert.equal((await world.redeem(delivered.token, 'machine-1')).type, 'redeemed');
      assert.ok(await world.refused(follow('198.51.100.1')));
    });

    it('children sit where the policy lets them, and end with their parent', async () => {
      const world = new World(make(), { kinds: { gateway: { parents: ['site'], ttlSeconds: 600 }, site: {} } });
      const { package: site } = await world.issue('site-1', { kind: 'site', deliver: false });
      const wrong = { type: 'issue', authority, name: 'a', kind: 'node', parent: site };
      assert.equal(await world.refused(wrong), 'parent_not_allowed');
      const gateway = await world.issue('gateway-1', { kind: 'gateway', parent: site });
      assert.equal(gateway.expiresAt, '2026-03-01T12:10:30.000Z');
      const { node } = await world.redeem(gateway.token, 'machine-1');
      await revoke(world, site);
      assert.equal((await world.view(`package/${gateway.package}`)).status, 'revoked');
      assert.equal((await world.view(`node/${node}`)).status, 'retired');
    });

    it('an item of a pool is with one package, and comes back', async () => {
      const world = new World(make());
      const change = { type: 'change_pool', authority, scope: 'default', pool: 'wg' };
      const add = { peer_1: new Secret('PrivateKey=1'), peer_2: null };
      assert.deepEqual(await world.run({ ...change, add }), { type: 'configured', changed: true });
      const contents = [{ type: 'pool_item', pool: 'wg' }];
      const first = await world.issue('a', { contents });
      await world.issue('b', { contents });
      assert.equal(await world.refused({ type: 'issue', authority, name: 'c', contents }), 'pool_empty');
      const [given] = (await world.redeem(first.token, 'machine-1')).contents;
      assert.deepEqual([given.type, given.item, given.content.expose()], ['pool_item', 'peer_1', 'PrivateKey=1']);
      const remove = { ...change, remove: ['peer_1'] };
      assert.equal(await world.refused(remove), 'pool_item_in_use');
      await revoke(world, first.package);
      assert.deepEqual(await world.run(remove), { type: 'configured', changed: true });
    });

    it('a node leaves, is evicted, or banned', async () => {
      const world = new World(make());
      const { token } = await world.issue('edge-1', { maxUses: 3 });
      const nodes = [];
      for (const machine of ['m1', 'm2', 'm3']) nodes.push((await world.redeem(token, machine)).node);
      const ended = (node, again) => ({ type: 'node_ended', node, again });
      assert.deepEqual(await world.run({ type: 'leave', node: nodes[0], fingerprint: 'm1' }), ended(nodes[0], false));
      const evict = { type: 'evict', authority, node: nodes[1] };
      assert.deepEqual(await world.run(evict), ended(nodes[1], false));
      assert.deepEqual(await world.run(evict), ended(nodes[1], true));
      const ban = { type: 'ban', authority, scope: 'default', subject: 'm3', reason: 'stolen' };
      const banned = { type: 'banned', scope: 'default', subject: 'm3', node: nodes[2], again: false };
      assert.deepEqual(await world.run(ban), banned);
      const fresh = await world.issue('edge-2', { maxUses: 3 });
      assert.notEqual((await world.redeem(fresh.token, 'm2')).node, nodes[1], 'an evicted node may return');
      assert.equal(await world.refused({ type: 'redeem', token: fresh.token, fingerprint: 'm3' }), 'banned');
    });

    it('a ban is lifted, and recoveries are counted anew', async () => {
      const world = new World(make());
      const subject = { scope: 'default', subject: 'm1' };
      await world.run({ type: 'ban', authority, ...subject });
      const unban = { type: 'unban', authority, ...subject, reason: 'a mistake' };
      assert.deepEqual(await world.run(unban), { type: 'unbanned', ...subject, again: false });
      const { token } = await world.issue('edge-1');
      await world.redeem(token, 'm1');
      const reset = { type: 'reset_recoveries', authority, key: 'subject/default/m1' };
      assert.deepEqual(await world.run(reset), { type: 'recoveries_reset', changed: false });
    });

    it('a copied node is kept away until its token is reissued', async () => {
      const world = new World(make(), { onCloneSuspected: 'quarantine' });
      const contents = [{ type: 'file', name: 'agent.env', content: 'PASSWORD=hunter2' }];
      const { package: id, token } = await world.issue('edge-1', { contents });
      const { node, contentsShredded } = await world.redeem(token, 'm1');
      assert.equal(contentsShredded, false);
      const first = { type: 'check_in', node, fingerprint: 'm1', sequence: 1, attempt: 'a' };
      assert.equal((await world.run(first)).again, false);
      assert.equal((await world.run(first)).again, true);
      assert.equal(await world.refused({ ...first, attempt: 'b' }), 'clone_suspected');
      assert.equal(await world.refused({ ...first, sequence: 2 }), 'quarantined');
      assert.equal(await world.refused({ type: 'redeem', token, fingerprint: 'm1' }), 'token_locked');
      const reissued = await world.run({ type: 'reissue', authority, package: id, deliver: true });
      assert.equal(reissued.contentsShredded, true);
      assert.equal((await world.redeem(reissued.token, 'm1')).contentsShredded, true);
      assert.equal((await world.run({ ...first, attempt: 'c' })).again, false);
    });

    it('a subject that connects activates its package', async () => {
      const world = new World(make());
      const spiffeId = 'spiffe://example.org/edge-1';
      const { package: id } = await world.issue('edge-1', { activatesOn: 'report', bindings: { spiffeId } });
      const observe = { type: 'observe_subject', authority: 'executor:mesh', scope: 'default', subject: spiffeId };
      const observed = await world.run(observe);
      assert.deepEqual([observed.type, observed.package, observed.activated], ['subject_observed', id, true]);
      assert.equal((await world.view(`package/${id}`)).status, 'activated');
      assert.ok(await world.refused({ ...observe, subject: 'spiffe://example.org/stranger' }));
    });

    it('any number of uses is something else than nothing said', async () => {
      const world = new World(make());
      const { token } = await world.issue('fleet', { maxUses: null });
      const nodes = new Set();
      for (let number = 0; number < 40; number += 1) nodes.add((await world.redeem(token, `m${number}`)).node);
      assert.equal(nodes.size, 40);
      await world.run({ type: 'configure_scope', authority, scope: 'default', maxActive: 10 });
      assert.equal(await world.refused({ type: 'issue', authority, name: 'b', maxUses: null }), 'unbounded_package');
    });

    it('what has ended is forgotten', async () => {
      const world = new World(make());
      const { package: id } = await world.issue('edge-1');
      const forget = { type: 'forget', authority, key: `package/${id}` };
      assert.equal(await world.refused(forget), 'not_ended');
      await revoke(world, id);
      assert.deepEqual(await world.run(forget), { type: 'forgotten', changed: true });
      assert.equal((await world.view(forget.key)).type, 'forgotten');
    });
  });
}
