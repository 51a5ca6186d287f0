// What the tests share: a fake clock, a registrar, and messages signed by the project's own test authority.
import assert from 'node:assert/strict';
import { createSign } from 'node:crypto';
import { existsSync, readFileSync, writeSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

import { Ledger, Registrar, SnsReceiver, readInstanceEvent, run, work } from 'handfast';
import { SqliteStore } from 'handfast/stores/sqlite';

export const ROOT = fileURLToPath(new URL('../../', import.meta.url));
export const TOPIC = 'arn:aws:sns:us-east-1:123456789012:enroll';
export const INSTANCE = 'i-0a74797fd283b53de';
export const KUBEADM = 'system:bootstrappers:kubeadm:default-node-token';

const keys = (byte) => ({ current: 'k1', keys: { k1: new Uint8Array(32).fill(byte) } });
export const KEYS = { peppers: keys(1), sealing: keys(2) };

export function registrar(policy = {}) {
  return new Registrar({ vouchedFingerprints: true, ...policy }, KEYS);
}

/** A clock that moves when it is told to. */
export class FakeClock {
  now = new Date('2026-03-01T12:00:30Z');

  advance(seconds) {
    this.now = new Date(this.now.getTime() + seconds * 1000);
  }
}

/** Every kind of store: in memory, in SQLite, and one that is asynchronous. */
export const STORES = {
  Ledger: () => new Ledger({ recording: true }),
  SqliteStore: () => new SqliteStore(':memory:'),
  'an asynchronous store': () => {
    const store = new SqliteStore(':memory:');
    const later =
      (name) =>
      async (...given) => {
        await null;
        return store[name](...given);
      };
    return {
      read: later('read'),
      commit: later('commit'),
      due: later('due'),
      records: (...given) => store.records(...given),
      events: () => store.events(),
      notices: () => store.notices(),
    };
  },
};

/** A host in miniature: a store, a registrar and a clock. */
export class World {
  clock = new FakeClock();

  constructor(store, policy) {
    this.store = store;
    this.registrar = registrar(policy);
  }

  run(command) {
    return run(this.store, command, { registrar: this.registrar, now: this.clock.now });
  }

  async outstanding() {
    const records = ['package', 'instance'].flatMap((type) => this.store.records(type));
    return records.flatMap((row) => this.registrar.outstanding(row));
  }

  /** Applies every deadline that has come. */
  async expire() {
    for (const key of await this.store.due(this.clock.now)) await this.run({ type: 'expire', key });
  }

  /** The view of a record. */
  async view(key) {
    const [row] = await this.store.read([key]);
    return this.registrar.view(row);
  }

  /** Issues a package, and delivers it unless said otherwise. */
  async issue(name, more = {}) {
    const answer = await this.run({ type: 'issue', authority: 'operator:ann', name, deliver: true, ...more });
    assert.equal(answer.type, 'issued', answer.message);
    return answer;
  }

  /** Redeems a token, and gives the node. */
  async redeem(token, fingerprint) {
    const answer = await this.run({ type: 'redeem', token, fingerprint });
    assert.equal(answer.type, 'redeemed', answer.message);
    return answer;
  }

  /** The code with which a command is refused. */
  async refused(command) {
    const answer = await this.run(command);
    assert.equal(answer.type, 'refused');
    return answer.code;
  }

  /** Does everything that is to be done now, and says what it was. */
  async settle(perform = () => {}) {
    const done = [];
    const executor = (effect) => {
      perform(effect.work);
      done.push(effect.work.type);
      return { type: 'done' };
    };
    const options = { registrar: this.registrar, now: this.clock.now };
    while (await work.perform(this.store, executor, options));
    return done;
  }

  facts() {
    return this.store.events().map(({ fact }) => fact);
  }
}

/** A file of the project, or of its vectors. */
export function file(path) {
  return readFileSync(`${ROOT}${path}`);
}

/** A folder of vectors from real systems; `null`, and a loud word, where it is absent. */
export function realVectors(name) {
  const folder = `${process.env.HANDFAST_VECTORS ?? `${ROOT}../shared/vectors`}/${name}`;
  if (existsSync(folder)) return folder;
  writeSync(2, `SKIPPED: no ${folder} (set HANDFAST_VECTORS to the folder of vectors)\n`);
  return null;
}

export const CERTIFICATE = file('core/vectors/sns/certificates/leaf.pem');
const CERTIFICATE_URL =
  'https://sns.us-east-1.amazonaws.com/SimpleNotificationService-00112233445566778899aabbccddeeff.pem';

/** A notification as SNS would post it. */
export function notification(message, { at = '2026-03-01T12:00:00.000Z', topic = TOPIC, id = 1 } = {}) {
  const body = {
    Message: typeof message === 'string' ? message : JSON.stringify(message),
    MessageId: `00000000-0000-4000-8000-${String(id).padStart(12, '0')}`,
    Timestamp: at,
    TopicArn: topic,
    Type: 'Notification',
  };
  const text = Object.entries(body)
    .map(([name, value]) => `${name}\n${value}\n`)
    .join('');
  const signature = createSign('sha256').update(text).sign(file('core/vectors/keys/leaf.pem'), 'base64');
  return JSON.stringify({ ...body, SignatureVersion: '2', Signature: signature, SigningCertURL: CERTIFICATE_URL });
}

/** A receiver that has the test authority's certificate. */
export function receiver(policy = {}) {
  return new SnsReceiver({ topics: [{ arn: TOPIC }], pins: [{ pem: CERTIFICATE.toString() }], ...policy });
}

/** EventBridge's word that an instance has entered a state. */
export function stateChange(state, { at = '2026-03-01T12:00:00Z', instance = INSTANCE, id = 1 } = {}) {
  return {
    version: '0',
    id: `00000000-0000-4000-9000-${String(id).padStart(12, '0')}`,
    'detail-type': 'EC2 Instance State-change Notification',
    source: 'aws.ec2',
    account: '123456789012',
    time: at,
    region: 'us-east-1',
    resources: [],
    detail: { 'instance-id': instance, state },
  };
}

/** Evidence of a state change, made the only way there is. */
export function instanceEvent(state, clock, options = {}) {
  const at = clock.now.toISOString();
  const body = notification(stateChange(state, { at, ...options }), { at });
  const received = receiver().receive(body, undefined, { now: clock.now });
  return readInstanceEvent(received.notification, [{ topic: TOPIC }]).event;
}
