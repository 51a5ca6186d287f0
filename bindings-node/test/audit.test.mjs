// What an auditor can tell from the stored log alone, and download links.
import assert from 'node:assert/strict';
import { createHash, createHmac } from 'node:crypto';
import { it } from 'node:test';
import { inspect } from 'node:util';

import { HandfastError, Ledger, Secret, audit, link } from 'handfast';

import { KEYS, World, file } from './support.mjs';

const source = 'https://enroll.example.org';

/** One package is used, one is revoked; a stranger comes. */
async function day() {
  const world = new World(new Ledger({ recording: true }));
  const issue = (name) => world.run({ type: 'issue', authority: 'operator:ann', name, deliver: true });
  const { token } = await issue('edge-1');
  const other = await issue('edge-2');
  const { node } = await world.run({ type: 'redeem', token, fingerprint: 'machine-1' });
  world.clock.advance(30);
  await world.run({ type: 'check_in', node, fingerprint: 'machine-1', sequence: 1 });
  await world.run({ type: 'redeem', token, fingerprint: 'machine-2' });
  await world.run({ type: 'revoke', authority: 'operator:ann', package: other.package });
  return world.store;
}

function fed(log, options) {
  const chain = new audit.Chain(options);
  log.forEach((row) => chain.feed(row));
  return chain;
}

it('a whole log leads to its heads', async () => {
  const log = (await day()).events();
  const chain = fed(log);
  const heads = chain.heads();
  assert.deepEqual([chain.fed, chain.unlinked, chain.finish()], [log.length, 0, []]);
  const last = new Map(log.map((row) => [row.key, row]));
  assert.equal(heads.length, last.size);
  for (const head of heads) {
    const { body, version } = last.get(head.key);
    assert.deepEqual(head, { key: head.key, version, digest: createHash('sha256').update(body).digest('hex') });
    assert.deepEqual(head, audit.head(body));
  }
  const line = audit.root(heads);
  assert.ok(line.startsWith(`handfast-audit-1 ${heads.length} ${log.length} `));
  assert.equal(audit.root(heads.toReversed()), line);
  assert.deepEqual(fed(log, { expect: heads }).finish(), []);
  const rest = fed(log.slice(5), { checkpoints: fed(log.slice(0, 5)).heads(), expect: heads });
  assert.deepEqual([rest.finish(), rest.heads()], [[], heads]);
  assert.equal(inspect(chain), `Chain(${log.length})`);
});

it('what is done to a log shows', async () => {
  const log = (await day()).events().map(({ body }) => body);
  const heads = fed(log).heads();
  const chain = new audit.Chain({ expect: heads });
  const found = [];
  for (const body of log) {
    try {
      chain.feed(body.replace('operator:ann', 'operator:bob'));
    } catch (error) {
      found.push(error);
    }
  }
  assert.ok(found[0] instanceof HandfastError);
  assert.deepEqual([found[0].code, found[0].version], ['audit_wrong_digest', 2]);
  assert.equal(JSON.parse(log[found[0].position]).key, found[0].key);
  assert.deepEqual(new Set(chain.finish().map(({ code }) => code)), new Set(['audit_other_head']));
  const [first] = heads;
  assert.deepEqual(new audit.Chain({ expect: [first] }).finish(), [
    {
      code: 'audit_unreached_head',
      message: 'was published, and is not in the log',
      key: first.key,
      version: first.version,
    },
  ]);
  for (const [body, code] of [
    ['hunter2', 'audit_malformed_fact'],
    [log[0].replace(':', ': '), 'audit_not_canonical'],
    [log[2], 'audit_missing_facts'],
  ]) {
    assert.throws(() => fed([body]), { code, position: 0 });
  }
  assert.throws(() => new audit.Chain({ expect: [{ ...first, digest: '00' }] }), { path: 'expect[0].digest' });
  assert.throws(() => audit.root([{ key: 'hunter2' }]), { code: 'invalid_input', path: 'heads' });
});

it('a log of schema 1 is read, and said to be unlinked', () => {
  const log = file('core/vectors/ledger/events-schema-1.jsonl').toString().trim().split('\n');
  const chain = fed(log);
  assert.equal(chain.unlinked, log.length - chain.heads().length);
  assert.ok(chain.unlinked > 0);
});

it('facts and refusals are CloudEvents', async () => {
  const store = await day();
  const [row] = store.events();
  assert.deepEqual(audit.cloudEvent(row, { source }), {
    id: `${row.key}#1`,
    source,
    specversion: '1.0',
    type: 'io.handfast.package_issued.v2',
    subject: row.key,
    time: row.at,
    datacontenttype: 'application/json',
    data: JSON.parse(row.body),
  });
  const [{ notice }] = store.notices();
  const refusal = audit.cloudEventOfNotice(notice, { source });
  assert.deepEqual([refusal.id, refusal.type], [notice.coalesce, 'io.handfast.refused.v1']);
  assert.equal(refusal.data.code, 'already_claimed');
  assert.throws(() => audit.cloudEvent(row, { source: 'not a uri' }), { code: 'invalid_input', path: 'source' });
  assert.throws(() => audit.cloudEvent(row), { path: 'source' });
  assert.throws(() => audit.cloudEvent('{}', { source }), { code: 'corrupt_record' });
  assert.throws(() => audit.cloudEventOfNotice({}, { source }), { path: 'coalesce' });
});

it('a tally is the same in parts', async () => {
  const log = (await day()).events();
  const whole = new audit.Tally();
  log.forEach((row) => whole.add(row));
  const [row, ...none] = whole.rows();
  assert.deepEqual(none, []);
  const { scope, month, issued, activated, revoked, expired, retired, timeToActivate } = row;
  assert.deepEqual([scope, month, issued, activated, revoked, expired, retired], ['default', '2026-03', 2, 1, 1, 0, 0]);
  assert.deepEqual(timeToActivate, {
    count: 1,
    sumMs: 30_000,
    minMs: 30_000,
    maxMs: 30_000,
    buckets: [0, 0, 1, 0, 0, 0, 0, 0, 0, 0],
  });
  const parts = [new audit.Tally(), new audit.Tally()];
  log.forEach(({ body }, place) => parts[place % 2].add(body));
  const merged = new audit.Tally(parts[0].toText());
  merged.merge(parts[1]);
  assert.equal(merged.toText(), whole.toText());
  assert.throws(() => new audit.Tally('{"open": 1}'), { code: 'corrupt_record' });
  assert.throws(() => merged.add('{}'), { code: 'corrupt_record' });
  assert.throws(() => merged.merge({}), { code: 'misuse' });
});

const PACKAGE = '019b7ca9-8c88-7118-b0d3-641a68f94a69';
const NOW = '2026-03-01T12:00:30Z';

/** As the documentation of links has it. */
function linkText(key, kid = 'k1') {
  const payload = Buffer.alloc(28);
  Buffer.from(PACKAGE.replaceAll('-', ''), 'hex').copy(payload);
  payload.writeUInt32BE(3, 16);
  payload.writeBigInt64BE(BigInt(Date.parse(NOW) + 1), 20);
  const mac = createHmac('sha256', key).update(`handfast link 1\n${kid}\n`).update(payload).digest('base64url');
  return `hfl1_${kid}.${payload.toString('base64url')}.${mac}`;
}

it('a link is believed only when it is authentic and in time', () => {
  const links = new link.Links(KEYS.peppers);
  const text = linkText(KEYS.peppers.keys.k1);
  for (const given of [text, new Secret(text)]) {
    const verified = links.verify(given, { now: NOW });
    assert.ok(verified instanceof link.VerifiedLink);
    const says = { package: PACKAGE, number: 3, expiresAt: '2026-03-01T12:00:30.001Z' };
    assert.deepEqual(verified.toJSON(), says);
    assert.equal(inspect(verified), `VerifiedLink ${inspect(says)}`);
  }
  for (const [wrong, now, code] of [
    [text, '2026-03-01T12:00:30.001Z', 'link_expired'],
    [text.slice(0, -1), NOW, 'link_malformed'],
    [text.replaceAll('.', '/'), NOW, 'link_malformed'],
    [text.replace('k1', 'k2'), NOW, 'link_unknown_key'],
    [linkText(new Uint8Array(32).fill(2)), NOW, 'link_forged'],
  ]) {
    assert.throws(() => links.verify(wrong, { now }), { code });
  }
  assert.throws(() => links.verify(7), { path: 'link' });
  assert.throws(() => new link.VerifiedLink(), { code: 'misuse' });
  assert.throws(() => new link.Links({ current: 'k1', keys: { k1: new Uint8Array(5) } }), { path: 'keys.keys.k1' });
  assert.ok(!inspect(links, { depth: null, showHidden: true }).includes('Uint8Array'));
});
