// What each message of AWS means, read through a real signature.
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { it } from 'node:test';

import { InstanceIdentity, readInstanceEvent, verifyIdentity } from 'handfast';

import { INSTANCE, TOPIC, file, notification, realVectors, receiver, stateChange } from './support.mjs';

const NOW = '2026-03-01T12:00:30Z';
const verified = (message) => receiver().receive(notification(message), undefined, { now: NOW }).notification;
const read = (message, trust = {}) => readInstanceEvent(verified(message), [{ topic: TOPIC, ...trust }]);

it('every event of real systems is read, or is named as not for us', (test) => {
  const folder = realVectors('eventbridge');
  if (!folder) return test.skip('no vectors');
  const trust = {
    accounts: ['123456789012', '111122223333', '908601866461', '341288657826'],
    regions: ['us-east-1', 'us-east-2', 'us-west-1', 'us-west-2'],
  };
  const manifest = JSON.parse(readFileSync(`${folder}/manifest.json`));
  const outcomes = {};
  for (const { file: name } of manifest) {
    const outcome = read(readFileSync(`${folder}/${name}`, 'utf8'), trust);
    const { event } = outcome;
    const said = event ? `${event.change.type} implies ${event.impliedState ?? 'nothing'}` : outcome.reason;
    outcomes[said] = (outcomes[said] ?? 0) + 1;
  }
  assert.equal(manifest.length, 29);
  assert.deepEqual(outcomes, {
    documentation_sample: 7,
    health_event: 1,
    instance_refresh: 1,
    'lifecycle implies nothing': 3,
    'lifecycle implies shutting-down': 2,
    names_no_instance: 1,
    not_an_event: 3,
    'rebalance implies nothing': 1,
    'state implies pending': 4,
    'state implies terminated': 1,
    'terminate_successful implies terminated': 2,
    'terminate_unsuccessful implies nothing': 1,
    test_notification: 2,
  });
});

it("the project's own messages are instance events", () => {
  const name = 'core/vectors/sns/messages/v2-ec2-running.json';
  const { notification: message } = receiver().receive(file(name), undefined, { now: NOW });
  const { type, event } = readInstanceEvent(message, [{ topic: TOPIC }]);
  assert.deepEqual([type, event.impliedState], ['instance', 'running']);
});

it('nothing is believed beyond its trust', () => {
  const event = stateChange('running');
  assert.throws(() => read({ ...event, account: '999999999999' }), { code: 'aws_untrusted_account' });
  assert.throws(() => read({ ...event, region: 'eu-west-1' }), { code: 'aws_untrusted_region' });
  assert.throws(() => read({ ...event, source: 'my.app' }), { code: 'aws_wrong_source' });
  assert.throws(() => read({ ...event, detail: {} }), { code: 'aws_malformed_event' });
  assert.throws(() => readInstanceEvent(verified(event), []), { code: 'aws_untrusted_topic' });
  assert.equal(read({ ...event, region: 'eu-west-1' }, { regions: ['eu-west-1'] }).event.region, 'eu-west-1');
});

it('only evidence is read, and only a whole trust', () => {
  const event = stateChange('running');
  const message = verified(event);
  for (const wrong of [message.toJSON(), {}, null, Object.create(Object.getPrototypeOf(message))]) {
    assert.throws(() => readInstanceEvent(wrong, [{ topic: TOPIC }]), { code: 'invalid_input' });
  }
  assert.throws(() => readInstanceEvent(message, [{ topic: TOPIC, account: [] }]), { path: 'trust[0].account' });
  assert.throws(() => readInstanceEvent(message), { code: 'invalid_input' });
});

const IDENTITY = JSON.parse(file('core/vectors/identity/cases.json'));
const GENUINE = IDENTITY.cases[0];

/** A trust of the vectors as JavaScript has it. */
function trust({ max_age_seconds: maxAgeSeconds, legacy_rsa_1024: legacyRsa1024, ...others }) {
  return JSON.parse(JSON.stringify({ ...others, maxAgeSeconds, legacyRsa1024 }));
}

function verify({ proof, trust: name, now, trusted_clock: trustedClock }) {
  return verifyIdentity(proof, trust(IDENTITY.trusts[name]), { now, trustedClock });
}

function camel(members) {
  const renamed = (name) => name.replace(/_(.)/g, (_, letter) => letter.toUpperCase());
  return Object.fromEntries(Object.entries(members).map(([name, value]) => [renamed(name), value]));
}

it('every identity document of the vectors comes out as it must', () => {
  const outcomes = { verified: 0, rejected: 0 };
  for (const item of IDENTITY.cases) {
    const { verdict, identity, code } = item.expected;
    if (verdict === 'verified') assert.deepEqual(verify(item).toJSON(), camel(identity), item.name);
    else assert.throws(() => verify(item), { code }, item.name);
    outcomes[verdict]++;
  }
  assert.ok(outcomes.verified >= 30 && outcomes.rejected >= 140, JSON.stringify(outcomes));
});

it('an identity tells what it is', () => {
  const identity = verify(GENUINE);
  assert.ok(identity instanceof InstanceIdentity);
  const { instance, account, region, pendingAt, privateIp, availabilityZone, image, instanceType } = identity;
  assert.deepEqual([instance, account, region], [INSTANCE, '123456789012', 'us-east-1']);
  assert.deepEqual([pendingAt, privateIp, availabilityZone], ['2026-03-01T12:00:00.000Z', '10.0.0.209', 'us-east-1a']);
  assert.deepEqual([image, instanceType, identity.architecture], ['ami-0abcdef1234567890', 't3.micro', 'x86_64']);
  assert.equal(identity.version, '2017-09-30');
  const bare = verify(IDENTITY.cases.find(({ name }) => name === 'document: only what must be'));
  assert.deepEqual([bare.privateIp, bare.image], [null, null]);
});

it('an identity proof is whole, and its trust strict', () => {
  const known = trust(IDENTITY.trusts.default);
  for (const wrong of [
    undefined,
    {},
    { document: '{}' },
    { signature: '' },
    { pkcs7: '', signature: '' },
    { pkcs7: 1 },
  ]) {
    assert.throws(() => verifyIdentity(wrong, known), { code: 'invalid_input' });
  }
  assert.throws(() => verifyIdentity({ ...GENUINE.proof, nonce: '' }, known), { path: 'nonce' });
  assert.throws(() => verifyIdentity(GENUINE.proof, { ...known, account: [] }), { path: 'trust.account' });
  assert.throws(() => new InstanceIdentity(), { code: 'misuse' });
  for (const { name, trust: given } of IDENTITY.refused_trusts) {
    assert.throws(() => verifyIdentity(GENUINE.proof, trust(given)), { code: 'aws_identity_invalid_trust' }, name);
  }
});

it('an identity proof comes in bytes too', () => {
  const { proof, ...item } = IDENTITY.cases.find(({ name }) => name === 'plain: as AWS gives it');
  const bytes = Object.fromEntries(Object.entries(proof).map(([name, text]) => [name, Buffer.from(text)]));
  assert.deepEqual(verify({ ...item, proof: bytes }).toJSON(), verify({ ...item, proof }).toJSON());
});
