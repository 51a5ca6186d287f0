// What crosses the boundary, and what does not.
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { inspect } from 'node:util';

import { CODES, HandfastError, Ledger, Registrar, Secret, kubernetes, run, runSync, timestamp } from 'handfast';

import { INSTANCE, KEYS, World, STORES, instanceEvent, notification, receiver, registrar } from './support.mjs';

const NOW = new Date('2026-03-01T12:00:30Z');
const issue = (more) => ({ type: 'issue', authority: 'operator:ann', name: 'edge-1', ...more });
const options = { registrar: registrar(), now: NOW };
const refuse = (command) => {
  try {
    runSync(new Ledger(), command, options);
  } catch (error) {
    assert.ok(error instanceof HandfastError && error instanceof Error);
    return error;
  }
  return assert.fail('no error');
};

describe('errors', () => {
  it('name the member as it was written', () => {
    const cases = [
      [issue({ ttlSeconds: 'soon' }), 'ttlSeconds', /^ttlSeconds: invalid type/],
      [issue({ ttl_seconds: 60 }), 'ttlSeconds', /`ttl_seconds` is written `ttlSeconds` here$/],
      [
        issue({ bindings: { nodeNames: 'a' } }),
        'bindings.nodeNames',
        /expected one of `instance`, .*`nodeName`, `spiffeId`, `cidrs`$/,
      ],
      [issue({ contents: [{ type: 'kubernetes_bootstrap_token', ttlSeconds: -1 }] }), undefined, /contents\[0\]/],
      [issue({ labels: { some_key: 7 } }), 'labels.some_key', /^labels\.some_key: invalid type/],
      [issue({ activatesOn: 'checkIn' }), 'activatesOn', /unknown variant `checkIn`, expected one of .*`check_in`/],
      [{ type: 'issue', authority: 'operator:ann' }, '', /missing field `name`/],
      [{ type: 'issue', name: 'a' }, 'authority', /is required/],
      [{ type: 'check_in', node: 'n', fingerprint: 'a', sequence: 1 }, 'node', /NodeId/],
      [{ type: 'checkIn' }, 'type', /expected one of issue/],
      [issue({ ttlSeconds: Number.NaN }), 'ttlSeconds', /finite/],
      [issue({ ttlSeconds: 60n }), 'ttlSeconds', /bigint/],
      [issue({ name: new Date(Number.NaN) }), 'name', /valid Date/],
      [undefined, '', /expected an object/],
      [[], '', /expected an object/],
    ];
    for (const [command, path, message] of cases) {
      const error = refuse(command);
      assert.equal(error.code, 'invalid_input', error.message);
      assert.match(error.message, message);
      if (path !== undefined) assert.equal(error.path, path, error.message);
    }
    assert.equal(cases.length, 15);
  });

  it('point at the caller, with a name and a code from the list', () => {
    const error = refuse(issue({ name: 'not a name' }));
    assert.equal(error.name, 'HandfastError');
    assert.ok(error.code in CODES);
    assert.ok(error.stack.includes('carry.test.mjs') && !error.stack.includes('native.mjs'));
    assert.ok(Object.keys(CODES).length > 60);
  });

  it('never repeat a secret', () => {
    for (const command of [
      { type: 'redeem', token: new Secret('hunter2'), fingerprint: 'not valid!' },
      { type: 'redeem', token: { hunter2: 1 }, fingerprint: 'a' },
      { type: 'redeem', token: 'a', fingerprint: new Secret('hunter2') },
      issue({ name: new Secret('hunter2') }),
      issue({ labels: { a: new Secret('hunter2') } }),
      { type: 'redeem', token: 'a', fingerprint: 'a', nodeName: new Secret('hunter2') },
    ]) {
      assert.doesNotMatch(inspect(refuse(command)), /hunter2/);
    }
    assert.throws(
      () => new Secret(271828),
      (error) => !/271828/.test(inspect(error)) && error.code === 'invalid_input',
    );
  });

  it('are thrown for a mistaken configuration', () => {
    const ring = (keys, current = 'k1') => ({ ...KEYS, peppers: { current, keys } });
    for (const [policy, keys, path] of [
      [{ packageTtlSeconds: 1 }, KEYS, 'packageTtlSeconds'],
      [{ vouchedFingerprint: true }, KEYS, 'vouchedFingerprint'],
      [{ instances: [{ accounts: [] }] }, KEYS, undefined],
      [{}, ring({ k1: new Uint8Array(31) }), 'peppers.keys.k1'],
      [{}, ring({ k1: new Uint8Array(32) }, 'k2'), 'peppers.current'],
      [{}, ring({ k1: 'a'.repeat(32) }), 'peppers'],
      [{}, { peppers: KEYS.peppers }, 'sealing'],
      [{}, undefined, 'peppers'],
    ]) {
      const wrong = (error) => error.code === 'invalid_input' && (path === undefined || error.path === path);
      assert.throws(() => new Registrar(policy, keys), wrong);
    }
  });

  it('tell a misuse', async () => {
    await assert.rejects(run(new Ledger(), issue(), {}), { code: 'misuse' });
    await assert.rejects(run(new Ledger(), issue(), { registrar: {} }), { code: 'misuse' });
    for (const wrong of [
      (session) => session.loaded([]),
      (session) => session.committed(true),
      (session) => session.committed(1),
      (session) => [session.next({ now: NOW }), session.next({ now: NOW })],
    ]) {
      assert.throws(() => wrong(options.registrar.session(issue())), { code: 'misuse' });
    }
    const asynchronous = { read: async () => [], commit: async () => true, due: async () => [] };
    assert.throws(() => runSync(asynchronous, issue(), options), /asynchronous/);
  });
});

describe('values', () => {
  it('keep the keys of maps', () => {
    const labels = { some_key: 'a', someKey: 'b', 'x-1_y': 'c', $secret: '0', type: 'd' };
    const ledger = new Ledger({ recording: true });
    runSync(ledger, issue({ labels, bindings: { nodeName: 'a', cidrs: ['192.0.2.0/24'] } }), options);
    const [row] = ledger.records('package');
    assert.deepEqual(row.index.labels, labels);
    const view = options.registrar.view(row);
    assert.deepEqual(view.issued.labels, labels);
    assert.deepEqual(view.issued.bindings, { nodeName: 'a', cidrs: ['192.0.2.0/24'] });
    assert.equal(view.type, 'package');
  });

  it('are times as Dates, or as RFC 3339', () => {
    assert.equal(timestamp(new Date(0)), '1970-01-01T00:00:00.000Z');
    assert.equal(timestamp('2026-03-01T13:00:00+01:00'), '2026-03-01T12:00:00.000Z');
    assert.match(timestamp(), /^2[0-9-]+T[0-9:]+\.[0-9]{3}Z$/);
    for (const wrong of ['yesterday', new Date(Number.NaN), 0, null, '2026-03-01']) {
      assert.throws(() => timestamp(wrong), { code: 'invalid_input', path: 'at' });
    }
    const answer = runSync(new Ledger(), issue(), { ...options, now: '2026-03-01T12:00:30Z' });
    assert.equal(answer.expiresAt, '2026-03-01T12:15:30.000Z');
  });

  it('use the system clock only where there is no other', () => {
    const { expiresAt } = runSync(new Ledger(), issue(), { registrar: options.registrar });
    assert.ok(Math.abs(Date.parse(expiresAt) - Date.now() - 900_000) < 60_000);
  });

  it('may not be a placeholder', () => {
    const content = { type: 'file', name: 'a', content: new Secret('hunter2') };
    assert.equal(refuse(issue({ contents: [content], name: { $secret: 0 } })).path, '$secret');
  });

  it('may not be endless', () => {
    const command = issue();
    command.bindings = command;
    assert.match(refuse(command).message, /circular/);
    assert.equal(refuse(issue({ name: 'a'.repeat(2 ** 20) })).code, 'invalid_input');
  });
});

describe('secrets', () => {
  const secret = new Secret('hunter2');

  it('show themselves nowhere', () => {
    for (const shown of [
      `${secret}`,
      String(secret),
      JSON.stringify({ secret }),
      inspect({ secret }, { showHidden: true, depth: 9 }),
    ]) {
      assert.ok(shown.includes('[redacted]') && !shown.includes('hunter2'), shown);
    }
    assert.equal(secret.expose(), 'hunter2');
    assert.ok(secret.equals(new Secret('hunter2')) && !secret.equals(new Secret('hunter3')));
    assert.deepEqual(Object.keys(secret), []);
    assert.doesNotMatch(JSON.stringify(structuredClone({ ...secret })), /hunter2/);
  });

  it('are in answers, and redacted there', () => {
    const answer = runSync(new Ledger(), issue({ deliver: true }), options);
    const token = answer.token.expose();
    assert.ok(answer.token instanceof Secret);
    assert.ok(!inspect(answer, { depth: 9 }).includes(token) && !JSON.stringify(answer).includes(token));
  });

  it('are in no record, event, notice or snapshot', async () => {
    const world = new World(STORES.Ledger());
    const contents = [{ type: 'file', name: 'a', content: secret }];
    const { token } = await world.run(issue({ deliver: true, contents }));
    await world.run({ type: 'redeem', token, fingerprint: 'machine-1' });
    await world.run({ type: 'redeem', token, fingerprint: 'machine-2' });
    const ledger = world.store;
    const kept = JSON.stringify([ledger.records(), ledger.events(), ledger.notices(), ledger.snapshot()]);
    assert.ok(!kept.includes('hunter2') && !kept.includes(token.expose().slice(-20)));
  });

  it('stay in everything that holds one', () => {
    const token = kubernetes.BootstrapToken.parse('07401b.f395accd246ae52d');
    const manifest = kubernetes.bootstrapSecret(token, { expiresAt: NOW, owner: 'a' });
    const parts = [token, manifest, manifest.toYaml(), manifest.toManifest(), registrar()];
    for (const part of parts) {
      assert.doesNotMatch(`${inspect(part)} ${JSON.stringify(part)} ${part}`, /f395accd246ae52d/);
    }
    assert.equal(inspect(token), 'BootstrapToken 07401b.[redacted]');
  });
});

describe('what is shown', () => {
  it('tells one value from another', () => {
    const { notification: message } = receiver().receive(notification('hello'), undefined, { now: NOW });
    assert.match(inspect(message), /^Notification \{[^]*messageId: '00000000-/);
    assert.doesNotMatch(inspect(message), /hello/);
    assert.equal(JSON.parse(JSON.stringify(message)).message, 'hello');
    assert.match(inspect(instanceEvent('running', { now: NOW })), new RegExp(`InstanceEvent \\{[^]*${INSTANCE}`));
    assert.equal(inspect(new Ledger()), 'Ledger(0)');
  });
});
