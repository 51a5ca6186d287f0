// The life of a package, told on every kind of store.
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';

import { Secret, explain } from 'handfast';

import { STORES, World } from './support.mjs';

const ISSUE = { type: 'issue', authority: 'operator:ann', name: 'edge-1', deliver: true };

for (const [name, make] of Object.entries(STORES)) {
  describe(`on ${name}`, () => {
    it('issues, hands out, redeems, retries and checks in', async () => {
      const world = new World(make());
      const content = new Secret('[Interface]');
      const issued = await world.run({
        ...ISSUE,
        deliver: false,
        contents: [{ type: 'file', name: 'wg0.conf', content }],
      });
      assert.deepEqual(
        [issued.type, issued.status, issued.again, issued.token],
        ['issued', 'created', false, undefined],
      );
      assert.equal(issued.expiresAt, '2026-03-01T12:15:30.000Z');

      const to = { type: 'operator', package: issued.package };
      const delivered = await world.run({ type: 'deliver', authority: 'operator:ann', to });
      assert.equal(delivered.type, 'delivered');
      assert.match(delivered.token.expose(), /^hf1_/);

      const redeem = { type: 'redeem', token: delivered.token, fingerprint: 'machine-1', source: '192.0.2.7' };
      const redeemed = await world.run(redeem);
      assert.equal(redeemed.type, 'redeemed');
      assert.deepEqual(
        redeemed.contents.map(({ type, name }) => [type, name]),
        [['file', 'wg0.conf']],
      );
      assert.equal(redeemed.contents[0].content.expose(), '[Interface]');

      world.clock.advance(60);
      const retried = await world.run({ ...redeem, token: delivered.token.expose() });
      assert.deepEqual([retried.type, retried.again, retried.node], ['redeemed', true, redeemed.node]);

      const checkIn = { type: 'check_in', node: redeemed.node, fingerprint: 'machine-1', sequence: 1 };
      assert.deepEqual(await world.run(checkIn), {
        type: 'checked_in',
        node: redeemed.node,
        sequence: 1,
        again: false,
      });
      assert.deepEqual(await world.run(checkIn), { type: 'checked_in', node: redeemed.node, sequence: 1, again: true });

      const closed = await world.run(redeem);
      assert.deepEqual([closed.type, closed.code, closed.class], ['refused', 'grant_closed', 'denied']);
      assert.ok(world.facts().includes('package_activated'));
    });

    it('refuses a second machine, and says so in the audit only', async () => {
      const world = new World(make());
      const { token } = await world.run(ISSUE);
      await world.run({ type: 'redeem', token, fingerprint: 'machine-1' });
      const refused = await world.run({ type: 'redeem', token, fingerprint: 'machine-2' });
      assert.deepEqual([refused.type, refused.code], ['refused', 'already_claimed']);
      assert.ok(world.facts().includes('clone_suspected'));
      const [{ count, notice }] = world.store.notices();
      assert.equal(count, 1);
      assert.equal(world.registrar.view(notice).code, 'already_claimed');
    });

    it('counts what strangers try, in one row', async () => {
      const world = new World(make());
      const typo = { type: 'redeem', token: 'hf1_nonsense', fingerprint: 'machine-1', source: '192.0.2.7' };
      for (let time = 0; time < 3; time += 1) assert.equal((await world.run(typo)).code, 'malformed_token');
      assert.deepEqual(
        world.store.notices().map(({ count }) => count),
        [3],
      );
      assert.deepEqual(world.store.records(), []);
    });

    it('revokes for good', async () => {
      const world = new World(make());
      const { token, package: id } = await world.run(ISSUE);
      const revoke = { type: 'revoke', authority: 'operator:ann', package: id, reason: 'lost' };
      assert.deepEqual(await world.run(revoke), { type: 'revoked', package: id, status: 'revoked', again: false });
      assert.equal((await world.run(revoke)).again, true);
      assert.equal((await world.run({ type: 'redeem', token, fingerprint: 'machine-1' })).code, 'ended');
    });

    it('expires what nobody used, exactly at its deadline', async () => {
      const world = new World(make());
      const { token } = await world.run({ ...ISSUE, ttlSeconds: 60 });
      const redeem = { type: 'redeem', token, fingerprint: 'machine-1' };
      world.clock.advance(59);
      await world.expire();
      assert.equal(world.store.records('package')[0].index.status, 'delivered');
      world.clock.advance(1);
      const explained = await explain(world.store, redeem, { registrar: world.registrar, now: world.clock.now });
      assert.deepEqual([explained.type, explained.code], ['refused', 'expired']);
      await world.expire();
      assert.equal(world.store.records('package')[0].index.status, 'expired');
      assert.equal((await world.run(redeem)).code, 'ended');
    });

    it('fires nothing irreversible by a clock that nobody trusts', async () => {
      const world = new World(make());
      await world.run({ ...ISSUE, ttlSeconds: 60 });
      world.clock.advance(3600);
      const [key] = await world.store.due(world.clock.now);
      const { run } = await import('handfast');
      const expire = { type: 'expire', key };
      const options = { registrar: world.registrar, now: world.clock.now };
      assert.equal((await run(world.store, expire, { ...options, trustedClock: false })).code, 'clock_suspect');
      assert.deepEqual(await run(world.store, expire, options), { type: 'expired', changed: true });
    });

    it('answers a repeated request as it did before', async () => {
      const world = new World(make());
      const first = await world.run({ ...ISSUE, request: 'r-1' });
      const again = await world.run({ ...ISSUE, request: 'r-1' });
      assert.deepEqual([again.package, again.again], [first.package, true]);
      assert.equal((await world.run({ ...ISSUE, request: 'r-2' })).code, 'name_taken');
    });
  });
}
