// From a signed AWS message to a node's bootstrap token, and back to nothing.
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';

import { HandfastError, InstanceEvent, reveal } from 'handfast';

import { INSTANCE, KUBEADM, STORES, World, instanceEvent } from './support.mjs';

const POLICY = {
  owner: 'cluster-1',
  instances: [
    {
      accounts: ['123456789012'],
      tags: { node_role: null },
      scope: 'default',
      kind: 'node',
      labels: { Pool_Name: 'a' },
      contents: [{ type: 'kubernetes_bootstrap_token', ttlSeconds: 600 }],
    },
  ],
};
const WORKER = 'executor:worker-1';

for (const [name, make] of Object.entries(STORES)) {
  describe(`on ${name}`, () => {
    it('enrols a running instance once, and cleans up when it is gone', async () => {
      const world = new World(make(), POLICY);
      const observe = (state, id) =>
        world.run({ type: 'observe_instance', event: instanceEvent(state, world.clock, { id }) });

      assert.deepEqual(await observe('running', 1), {
        type: 'observed',
        changed: true,
        instance: INSTANCE,
        state: 'running',
      });
      assert.equal((await observe('running', 1)).changed, false);

      const [describeIt] = await world.outstanding();
      assert.deepEqual(describeIt.work, {
        type: 'describe_instance',
        instance: INSTANCE,
        account: '123456789012',
        region: 'us-east-1',
      });
      assert.equal(await reveal(world.store, describeIt, world), null);
      const report = (effect, outcome) => world.run({ type: 'report', authority: WORKER, effect: effect.id, outcome });
      await report(describeIt, { type: 'started', leaseSeconds: 30 });
      await report(describeIt, {
        type: 'described',
        account: '123456789012',
        region: 'us-east-1',
        state: 'running',
        addresses: new Set(['192.0.2.7']),
        tags: new Map([['node_role', 'worker']]),
        launchedAt: world.clock.now,
      });

      const [ensure] = await world.outstanding();
      assert.equal(ensure.work.type, 'ensure_bootstrap_token');
      assert.deepEqual([ensure.work.instance, ensure.work.groups], [INSTANCE, [KUBEADM]]);
      const deliver = { type: 'deliver', to: { type: 'instance', instance: INSTANCE }, source: '192.0.2.7' };
      assert.equal((await world.run(deliver)).code, 'not_ready');

      const secret = await reveal(world.store, ensure, world);
      assert.equal(secret.name, ensure.work.name);
      const manifest = JSON.parse(secret.toManifest().expose());
      assert.equal(manifest.metadata.labels['handfast.dev/instance-id'], INSTANCE);
      assert.equal(manifest.metadata.labels['handfast.dev/owner'], 'cluster-1');
      assert.deepEqual(await report(ensure, { type: 'done' }), { type: 'reported', changed: true });

      assert.equal((await world.run({ ...deliver, source: '198.51.100.1' })).code, 'wrong_address');
      const delivered = await world.run(deliver);
      const { 'token-id': id, 'token-secret': half } = manifest.stringData;
      assert.equal(delivered.contents[0].token.expose(), `${id}.${half}`);
      const [{ index }] = world.store.records('package');
      assert.deepEqual([index.status, index.labels], ['activated', { Pool_Name: 'a' }]);

      world.clock.advance(120);
      await observe('terminated', 2);
      const [remove] = await world.outstanding();
      assert.deepEqual(remove.work, { type: 'delete_bootstrap_token', name: ensure.work.name });
      await report(remove, { type: 'failed', reason: 'the API server is away' });
      const [retry] = await world.outstanding();
      assert.ok(retry.notBefore > world.clock.now.toISOString());
      world.clock.advance(60);
      await report(retry, { type: 'done' });
      assert.deepEqual(await world.outstanding(), []);
      assert.equal((await world.run(deliver)).type, 'refused');
    });

    it('undoes a create that comes too late', async () => {
      const world = new World(make(), POLICY);
      const report = (effect, outcome) => world.run({ type: 'report', authority: WORKER, effect: effect.id, outcome });
      await world.run({ type: 'observe_instance', event: instanceEvent('running', world.clock) });
      const [describeIt] = await world.outstanding();
      const description = { account: '123456789012', region: 'us-east-1', state: 'running', tags: { node_role: 'x' } };
      await report(describeIt, { type: 'described', ...description });
      const [ensure] = await world.outstanding();
      await report(ensure, { type: 'started', leaseSeconds: 600 });
      world.clock.advance(1);
      await world.run({ type: 'observe_instance', event: instanceEvent('terminated', world.clock, { id: 2 }) });
      await report(ensure, { type: 'done' });
      const [remove] = await world.outstanding();
      assert.equal(remove.work.type, 'delete_bootstrap_token');
    });
  });
}

describe('evidence', () => {
  const world = new World(STORES.Ledger());
  const event = instanceEvent('running', world.clock);
  const fails = (command) =>
    assert.rejects(world.run(command), (error) => error instanceof HandfastError && error.code === 'invalid_input');

  it('cannot be made by hand', async () => {
    assert.throws(() => new InstanceEvent(), { code: 'misuse' });
    assert.throws(() => Reflect.construct(InstanceEvent, [], Object), { code: 'misuse' });
    await fails({ type: 'observe_instance', event: event.toJSON() });
    await fails({ type: 'observe_instance', event: Object.create(InstanceEvent.prototype) });
    await fails({ type: 'observe_instance' });
    assert.equal(world.store.size, 0);
  });

  it('belongs into one place', async () => {
    await fails({ type: 'issue', authority: 'operator:ann', name: 'a', event });
    await fails({ type: 'issue', authority: 'operator:ann', name: 'a', bindings: { event } });
    await fails({ type: 'observe_instance', event, name: 'a' });
    await assert.rejects(world.run({ type: 'observe_instance', event, source: 'nowhere' }), { path: 'source' });
  });

  it('can be read', () => {
    assert.equal(event.instance, INSTANCE);
    assert.equal(event.impliedState, 'running');
    assert.deepEqual(event.change, { type: 'state', state: 'running' });
    assert.equal(event.publishedAt, world.clock.now.toISOString());
    assert.deepEqual(Object.keys(event.toJSON()).sort(), [
      'account',
      'change',
      'eventId',
      'instance',
      'messageId',
      'occurredAt',
      'publishedAt',
      'region',
      'topic',
    ]);
  });
});
