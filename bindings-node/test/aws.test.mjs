// What each message of AWS means, read through a real signature.
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { it } from 'node:test';

import { readInstanceEvent } from 'handfast';

import { TOPIC, file, notification, realVectors, receiver, stateChange } from './support.mjs';

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
