// Identity documents of EC2 instances in commands: a redemption and a delivery that an instance proves itself for.
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';

import { InstanceIdentity, explain, verifyIdentity } from 'handfast';

import { INSTANCE, STORES, World, file, instanceEvent } from './support.mjs';

const { cases, trusts } = JSON.parse(file('core/vectors/identity/cases.json'));
const [GENUINE] = cases;
const PLACE = { accounts: ['123456789012'], regions: ['us-east-1'], instance: INSTANCE };
const POLICY = {
  instances: [
    {
      accounts: ['123456789012'],
      tags: { role: 'worker' },
      scope: 'default',
      kind: 'node',
      contents: [{ type: 'kubernetes_bootstrap_token' }],
    },
  ],
};

/** The document of INSTANCE, as its metadata service gave it. */
const identity = () => verifyIdentity(GENUINE.proof, trusts[GENUINE.trust], { now: GENUINE.now });

for (const [name, make] of Object.entries(STORES)) {
  describe(`on ${name}`, () => {
    it('a redemption is proven by an identity document', async () => {
      const world = new World(make());
      const { token } = await world.issue('edge-1', { bindings: PLACE });
      const redeem = { type: 'redeem', token, fingerprint: 'm1' };
      // Anybody can say so; only the document proves it.
      assert.equal(await world.refused({ ...redeem, instance: INSTANCE }), 'binding_mismatch');
      assert.equal((await world.run({ ...redeem, identity: identity() })).type, 'redeemed');
      const elsewhere = await world.issue('edge-2', { bindings: { ...PLACE, accounts: ['999999999999'] } });
      const other = { ...redeem, token: elsewhere.token, fingerprint: 'm2', identity: identity() };
      assert.equal(await world.refused(other), 'binding_mismatch');
    });

    it('a delivery is proven by an identity document', async () => {
      const world = new World(make(), POLICY);
      const report = async (outcome) => {
        const [{ id: effect }] = await world.outstanding();
        await world.run({ type: 'report', authority: 'executor:w1', effect, outcome });
      };
      await world.run({ type: 'observe_instance', event: instanceEvent('running', world.clock) });
      const place = { account: '123456789012', region: 'us-east-1', state: 'running', addresses: ['192.0.2.7'] };
      await report({ type: 'described', ...place, tags: { role: 'worker' } });
      await report({ type: 'done' });
      // The address says nothing here: the instance is behind a gateway.
      const deliver = { type: 'deliver', to: { type: 'instance', instance: INSTANCE }, source: '198.51.100.1' };
      assert.equal(await world.refused(deliver), 'wrong_address');
      const proven = { ...deliver, identity: identity() };
      const options = { registrar: world.registrar, now: world.clock.now };
      assert.equal((await explain(world.store, proven, options)).type, 'accepted');
      const delivered = await world.run(proven);
      assert.deepEqual([delivered.type, delivered.contents.length], ['delivered', 1]);
      world.clock.advance(601);
      assert.equal(await world.refused(proven), 'already_delivered');
    });
  });
}

describe('an identity', () => {
  const world = new World(STORES.Ledger());
  const fails = (command, path) => assert.rejects(world.run(command), { code: 'invalid_input', path });
  const proof = identity();

  it('belongs into two commands', async () => {
    await fails({ type: 'issue', authority: 'operator:ann', name: 'a', identity: proof }, 'identity');
    const { package: id } = await world.issue('b', { deliver: false });
    const to = { type: 'operator', package: id };
    await fails({ type: 'deliver', authority: 'operator:ann', to, identity: proof }, 'identity');
    await fails({ type: 'deliver', to: { type: 'instance', instance: INSTANCE, identity: proof } }, 'identity');
    const event = instanceEvent('running', world.clock);
    await fails({ type: 'observe_instance', event, identity: proof }, 'identity');
    await fails({ type: 'observe_instance', event: proof }, 'event');
  });

  it('is never forged, and a refused attempt spends nothing', async () => {
    const { token } = await world.issue('c');
    const redeem = { type: 'redeem', token, fingerprint: 'm1' };
    await fails({ ...redeem, identity: proof.toJSON() }, 'identity');
    await fails({ ...redeem, identity: INSTANCE }, 'identity');
    await fails({ ...redeem, identity: null }, 'identity');
    await assert.rejects(world.run({ ...redeem, identity: Object.create(InstanceIdentity.prototype) }), {
      code: 'invalid_input',
    });
    assert.equal((await world.run({ ...redeem, identity: proof })).again, false);
  });
});
