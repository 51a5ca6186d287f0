// Verifying SNS: the project's own vectors, messages of AWS and LocalStack, and the receiver's conversation.
import assert from 'node:assert/strict';
import { readFileSync, readdirSync } from 'node:fs';
import { describe, it } from 'node:test';

import {
  Confirmation,
  Notification,
  SnsReceiver,
  Unsubscription,
  parseDuration,
  parseTopicArn,
  receive,
  verifyOnce,
} from 'handfast';

import { CERTIFICATE, TOPIC, file, notification, realVectors, receiver } from './support.mjs';

const SNS = 'core/vectors/sns';
const NOW = '2026-03-01T12:00:30Z';

it('every case of the manifest comes out as it says', () => {
  const { cases } = JSON.parse(file(`${SNS}/manifest.json`));
  const counts = { verified: 0, rejected: 0 };
  for (const { name, file: message, certificate, topic, now, options, expected } of cases) {
    const { line, exitStatus } = verifyOnce(file(`${SNS}/${message}`), file(`${SNS}/${certificate}`), {
      topic,
      now,
      maxAgeSeconds: options.max_age_seconds,
      legacyRsa1024: options.legacy_rsa_1024,
      development: options.development,
    });
    const { reason, ...verdict } = JSON.parse(line);
    assert.deepEqual(verdict, expected, name);
    assert.equal(exitStatus, verdict.verdict === 'verified' ? 0 : 1);
    if (exitStatus === 1) assert.ok(reason.length > 0);
    counts[verdict.verdict] += 1;
  }
  assert.deepEqual(counts, { verified: 35, rejected: 103 });
});

it('every genuine message of AWS comes out as its manifest says', (test) => {
  const folder = realVectors('sns-aws');
  if (!folder) return test.skip('no vectors');
  const read = (name) => readFileSync(`${folder}/${name}`);
  const counts = { verified: 0, sns_bad_signature: 0, sns_certificate_key: 0 };
  for (const genuine of JSON.parse(read('manifest.json'))) {
    const body = read(genuine.file);
    const { Timestamp, TopicArn: topic } = JSON.parse(body);
    const key = read(genuine.cert ?? genuine.pubkey);
    const judge = (more) => JSON.parse(verifyOnce(body, key, { topic, now: new Date(Timestamp), ...more }).line);
    const verdict = judge({ legacyRsa1024: true });
    if (genuine.expected === 'verified') {
      assert.equal(verdict.verdict, 'verified', genuine.file);
      assert.deepEqual([verdict.type, verdict.signature_version], [genuine.type, genuine.signature_version]);
      if (genuine.key_bits === 1024) counts[judge({}).code] += 1;
      counts.verified += 1;
    } else {
      counts[verdict.code] += 1;
    }
  }
  assert.deepEqual(counts, { verified: 23, sns_bad_signature: 2, sns_certificate_key: 3 });
});

it('LocalStack is verified under explicit development trust', async (test) => {
  const folder = realVectors('sns-localstack');
  if (!folder) return test.skip('no vectors');
  const files = readdirSync(folder).sort();
  const certificate = readFileSync(`${folder}/${files.find((name) => name.endsWith('.pem'))}`);
  const arn = (name) => `arn:aws:sns:us-east-1:000000000000:${name}`;
  const local = new SnsReceiver({
    topics: [{ arn: arn('enroll-v1') }, { arn: arn('enroll-v2'), minimumSignatureVersion: '2' }],
    development: {
      certificateUrlPrefix: 'http://127.0.0.1:4566/_aws/sns/',
      anyCertificate: true,
      version1Unsubscribe: true,
    },
  });
  const options = { now: '2026-11-22T02:02:30Z', fetch: async () => new Response(certificate) };
  const counts = {};
  for (const name of files.filter((name) => name.endsWith('.json') && !name.endsWith('.headers.json'))) {
    const headers = JSON.parse(readFileSync(`${folder}/${name.replace('.json', '.headers.json')}`));
    const body = readFileSync(`${folder}/${name}`);
    const outcome = await receive(local, body, headers, options).then(
      ({ type }) => type,
      ({ code }) => code,
    );
    counts[outcome] = (counts[outcome] ?? 0) + 1;
  }
  assert.deepEqual(counts, { notification: 10, confirm: 2, unsubscribed: 2, sns_unsigned: 2 });
});

describe('the receiver', () => {
  const policy = { topics: [{ arn: TOPIC }] };
  const body = notification('hello');
  const options = { now: NOW };

  it('asks for a certificate once, and takes it', () => {
    const ours = new SnsReceiver(policy);
    const { type, fetch } = ours.receive(body, {}, options);
    assert.equal(type, 'need');
    assert.deepEqual(
      { ...fetch, url: null },
      { url: null, maxBytes: 16384, timeoutSeconds: fetch.timeoutSeconds, noRedirects: true },
    );
    assert.deepEqual(ours.receive(body, {}, options), { type: 'wait' });
    ours.certificate(fetch.url, CERTIFICATE, options);
    const received = ours.receive(body, {}, options);
    assert.equal(received.type, 'notification');
    assert.ok(received.notification instanceof Notification);
    assert.deepEqual(received.notification.toJSON(), {
      messageId: '00000000-0000-4000-8000-000000000001',
      topicArn: TOPIC,
      timestamp: '2026-03-01T12:00:00.000Z',
      signatureVersion: '2',
      message: 'hello',
    });
    assert.equal(received.notification.subject, null);
    ours.forgetCertificates();
    assert.equal(ours.receive(body, {}, options).type, 'need');
  });

  it('remembers for a while that a certificate could not be had', () => {
    const cases = ['unreachable', 'timeout', 'redirect', 'too_large', 503];
    for (const failure of cases) {
      const ours = new SnsReceiver(policy);
      const { fetch } = ours.receive(body, {}, options);
      const temporary = (error) => error.code === 'sns_fetch_failed' && error.temporary === true;
      assert.throws(() => ours.certificateFailed(fetch.url, failure, options), temporary);
      assert.throws(() => ours.receive(body, {}, options), temporary);
    }
    const ours = new SnsReceiver(policy);
    const { fetch } = ours.receive(body, {}, options);
    assert.throws(() => ours.certificateFailed(fetch.url, 'tired', options), {
      code: 'invalid_input',
      path: 'failure',
    });
    assert.throws(() => ours.certificate('https://example.org/', CERTIFICATE, options), {
      code: 'sns_unexpected_certificate',
    });
  });

  it('looks at the headers that SNS sets, in every form there is', () => {
    const raw = { 'x-amz-sns-rawdelivery': 'true' };
    for (const headers of [
      raw,
      new Headers(raw),
      Object.entries(raw),
      new Map(Object.entries(raw)),
      { 'X-Amz-Sns-RawDelivery': ['true'] },
    ]) {
      assert.throws(() => receiver().receive(body, headers, options), { code: 'sns_unsigned', temporary: false });
    }
    const others = {
      host: 'a',
      'set-cookie': ['a', 'b'],
      'x-amz-sns-message-type': 'Notification',
      'x-amz-sns-topic-arn': undefined,
    };
    assert.equal(receiver().receive(body, others, options).type, 'notification');
    assert.throws(() => receiver().receive(body, { 'x-amz-sns-topic-arn': 'a' }, options), {
      code: 'sns_header_mismatch',
    });
    const twice = { 'x-amz-sns-message-type': ['Notification', 'Notification'] };
    assert.throws(() => receiver().receive(body, twice, options), { code: 'sns_header_mismatch' });
    assert.throws(() => receiver().receive(body, { 'x-amz-sns-topic-arn': 7 }, options), { code: 'invalid_input' });
  });

  it('takes bytes and texts, and nothing else', () => {
    for (const given of [body, Buffer.from(body), new TextEncoder().encode(body)]) {
      assert.equal(receiver().receive(given, undefined, options).type, 'notification');
    }
    for (const wrong of [undefined, null, JSON.parse(body), 7]) {
      assert.throws(() => receiver().receive(wrong, undefined, options), { code: 'invalid_input', path: 'body' });
    }
  });

  it('has confirmations and farewells', () => {
    const read = (name) => receiver().receive(file(`${SNS}/messages/${name}.json`), undefined, options);
    const { type, confirmation } = read('v2-subscription-confirmation');
    assert.equal(type, 'confirm');
    assert.ok(confirmation instanceof Confirmation);
    assert.match(confirmation.url, /^https:\/\/sns\.us-east-1\.amazonaws\.com\/\?Action=ConfirmSubscription&/);
    assert.ok(!JSON.stringify(confirmation).includes('Token='));
    const farewell = read('v2-unsubscribe-confirmation');
    assert.equal(farewell.type, 'unsubscribed');
    assert.ok(farewell.unsubscription instanceof Unsubscription);
    assert.equal(farewell.unsubscription.url, undefined);
  });

  it('judges no age by a clock that nobody trusts', () => {
    const untrusted = { ...options, trustedClock: false };
    assert.throws(() => receiver().receive(body, undefined, untrusted), {
      code: 'sns_clock_untrusted',
      temporary: true,
    });
    assert.throws(() => receiver().receive(body, undefined, { now: '2026-03-01T13:00:31Z' }), { code: 'sns_too_old' });
    assert.throws(() => receiver().receive(body), { code: 'sns_too_old' });
  });

  it('needs topics, and names what is wrong with a policy', () => {
    assert.throws(() => new SnsReceiver({ topics: [] }), { code: 'sns_invalid_policy' });
    assert.throws(() => new SnsReceiver({}), { code: 'invalid_input' });
    assert.throws(() => new SnsReceiver(), { code: 'invalid_input' });
    assert.throws(() => new SnsReceiver({ ...policy, maxAge: 7 }), { code: 'invalid_input', path: 'maxAge' });
    const names = { expectedNames: { 'xx-new-1': 'sns_signing.example' } };
    assert.ok(new SnsReceiver({ ...policy, ...names }));
  });
});

describe('receive', () => {
  const body = notification('hello');
  const through = (fetch) => receive(new SnsReceiver({ topics: [{ arn: TOPIC }] }), body, {}, { now: NOW, fetch });

  it('fetches the certificate as strictly as it is asked', async () => {
    const asked = [];
    const received = await through(async (url, options) => {
      asked.push([url.split('/').at(2), options.redirect, options.signal instanceof AbortSignal]);
      return new Response(CERTIFICATE);
    });
    assert.equal(received.notification.message, 'hello');
    assert.deepEqual(asked, [['sns.us-east-1.amazonaws.com', 'manual', true]]);
  });

  it('gives up on everything else', async () => {
    const endless = new ReadableStream({ pull: (controller) => controller.enqueue(new Uint8Array(8192)) });
    const cases = [
      [async () => new Response('', { status: 302, headers: { location: '/' } }), /redirected/],
      [async () => new Response('', { status: 404 }), /status 404/],
      [async () => new Response(endless), /too large/],
      [async () => Promise.reject(new TypeError('fetch failed')), /no connection/],
      [async () => Promise.reject(new DOMException('too late', 'TimeoutError')), /timed out/],
    ];
    for (const [fetch, message] of cases) {
      await assert.rejects(through(fetch), (error) => error.temporary === true && message.test(error.message));
    }
    await assert.rejects(
      through(async () => new Response('<html>')),
      { code: 'sns_certificate_malformed' },
    );
    assert.equal(cases.length, 5);
  });
});

it('topics are read', () => {
  assert.equal(parseTopicArn(TOPIC), TOPIC);
  for (const wrong of ['', 'enroll', `${TOPIC}\n`])
    assert.throws(() => parseTopicArn(wrong), { code: 'invalid_input' });
});

it('durations are read', () => {
  assert.deepEqual(['90', '90s', '15m', '1h', '7d'].map(parseDuration), [90, 90, 900, 3600, 604_800]);
  for (const wrong of ['', '1w', '-1s', '1.5h']) assert.throws(() => parseDuration(wrong), { code: 'invalid_input' });
});
