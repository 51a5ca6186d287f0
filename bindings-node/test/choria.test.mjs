// Choria's tokens: the cases that every language runs, and what Choria's own library says of the same tokens.
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { it } from 'node:test';
import { inspect as show } from 'node:util';

import { Secret, inspect as inspectAny } from 'handfast';
import {
  HelperReply,
  HelperRequest,
  Issuer,
  IssuerKey,
  VerifiedToken,
  helperReply,
  helperRequest,
  inspect,
  verify,
} from 'handfast/choria';

import { file, realVectors } from './support.mjs';

const cases = JSON.parse(file('core/vectors/choria/cases.json'));
const { now } = cases;
const expiresAt = '2026-01-03T04:04:05Z';
const organisation = IssuerKey.read(cases.organisation);
const chosen = new Set(['extensions', 'user_properties']);

/** The claims of a case as JavaScript has them. */
function given(value, opaque = false) {
  if (Array.isArray(value)) return value.map((item) => given(item, opaque));
  if (value === null || typeof value !== 'object') return value;
  if ('$secret' in value) return new Secret(value.$secret);
  const camel = (name) => (opaque ? name : name.replace(/_(.)/g, (_, letter) => letter.toUpperCase()));
  const members = Object.entries(value);
  return Object.fromEntries(members.map(([name, one]) => [camel(name), given(one, opaque || chosen.has(name))]));
}

function issue({ seed, claims, kind, appointment }, terms) {
  const issuer = Issuer.fromSeed(new Secret(seed));
  if (kind === 'appointment') return issuer.appoint(given(claims), terms);
  const typed = { type: kind, ...given(claims) };
  if (appointment === undefined) return issuer.issue(typed, terms);
  return issuer.appointed(verify(organisation, appointment, { kind: 'client', now })).issue(typed, terms);
}

it('tokens are made and read back', () => {
  for (const one of cases.issued) {
    const { at, ...terms } = given(one.terms);
    const kind = one.kind.replace('appointment', 'client');
    const payloads = [issue(one, { ...terms, now: at }), one.token].map((token) =>
      JSON.parse(verify(organisation, token, { kind, now }).toPayload().expose()),
    );
    for (const payload of [...payloads, one.payload]) {
      delete payload.jti; // drawn
      delete payload.tcs; // over it
    }
    assert.deepEqual(payloads[0], one.payload, one.name);
    assert.deepEqual(payloads[1], one.payload, one.name);
  }
  assert.equal(cases.issued.length, 8);
});

it('what nobody could use is not issued', () => {
  for (const { kind, claims, code } of cases.refused_to_issue) {
    const terms = { expiresAt, publicKey: cases.organisation, now };
    assert.throws(() => Issuer.generate().issue({ type: kind, ...given(claims) }, terms), { code }, code);
  }
  assert.equal(cases.refused_to_issue.length, 12);
});

it('tokens of others are judged', () => {
  for (const { key, token, kind, code, note } of cases.verified) {
    const judge = () => verify(IssuerKey.read(key), new Secret(token), { kind, now });
    if (code === undefined) assert.equal(judge().kind, kind);
    else assert.throws(judge, { code }, note);
  }
  assert.equal(cases.verified.length, 70);
  for (const key of cases.refused_keys) assert.throws(() => IssuerKey.read(key), { code: 'choria_unusable_key' });
});

it('a look at a token proves and shows nothing', () => {
  const token = inspect(cases.issued[1].token);
  assert.equal(token.kind, 'provisioning');
  assert.deepEqual([token.token.expose(), token.password.expose()], ['s3cret', 'n4ts <&>']);
  const shown = token.toJSON();
  assert.deepEqual([shown.claims.srvDomain, shown.claims.protocol2], ['example.net', true]);
  assert.deepEqual(shown.claims.extensions, { customer: '[redacted]', deep: '[redacted]' });
  assert.doesNotMatch(show(token, { depth: 9 }) + JSON.stringify(token), /s3cret|n4ts/);
  const { extensions } = verify(organisation, cases.issued[1].token, { kind: 'provisioning', now }).toJSON().claims;
  assert.deepEqual(extensions.deep, { someKey: [1, 2.5, null, { a_b: true }] });
  const telling = inspect(cases.telling);
  assert.deepEqual(telling.toJSON().claims.urls, ['nats://a.example.net:4222', 'nats://b.example.net']);
  assert.equal(telling.password.expose(), 'hunter2');
  assert.doesNotMatch(show([telling, inspectAny(cases.telling)], { depth: 9 }) + JSON.stringify(telling), /hunter2/);
  assert.throws(() => new VerifiedToken(), { code: 'misuse' });
  const issuer = Issuer.generate();
  assert.equal(Issuer.fromSeed(issuer.seed()).publicKey, issuer.publicKey);
  assert.ok(!`${show(issuer)}${issuer}${JSON.stringify(issuer)}`.includes(issuer.seed().expose()));
});

it('arguments are named where they are wrong', () => {
  const server = { type: 'server', identity: 'a', collectives: ['b'] };
  for (const [claims, path] of [
    [{ ...server, identity: 7 }, 'identity'],
    [{ ...server, pub_subjects: [] }, 'pubSubjects'],
    [{ ...server, permissions: { stream: true } }, 'permissions.stream'],
    [{ ...server, type: 'user' }, 'type'],
  ]) {
    assert.throws(() => Issuer.generate().issue(claims, { expiresAt, now }), { code: 'invalid_input', path });
  }
  assert.throws(() => helperReply({ configuration: { some_key: 7 } }), { path: 'configuration.some_key' });
  assert.throws(() => helperReply({ actionPolicies: { my_agent: 7 } }), { path: 'actionPolicies.my_agent' });
  assert.throws(() => Issuer.generate().issue(server, { now }), { path: 'expiresAt' });
  assert.throws(() => verify(organisation, 'x', { kind: 'user', now }), { path: 'kind' });
});

it("the helper's conversation", () => {
  const { request: document, refused_requests, replies, refused_replies } = cases.helper;
  const request = HelperRequest.parse(document);
  assert.deepEqual(JSON.parse(request.toDocument().expose()), JSON.parse(document));
  assert.deepEqual([request.inventory(), request.token.expose()], [{ facts: { os: 'é' } }, 's3cret']);
  assert.doesNotMatch(show(request, { depth: 9 }) + JSON.stringify(request), /s3cret/);
  for (const text of refused_requests) {
    assert.throws(() => HelperRequest.parse(text), { code: 'choria_malformed_helper' }, text);
  }
  for (const { json, expires_at, server } of replies) {
    const reply = HelperReply.parse(json);
    assert.equal(reply.expiresAt({ now }) ?? null, expires_at);
    if (server) assert.deepEqual(reply.server('n'), { type: 'server', ...given(server) });
    assert.equal(HelperReply.parse(reply.toDocument({ now }).expose()).expiresAt({ now }) ?? null, expires_at);
  }
  for (const { json, code } of refused_replies) {
    assert.throws(() => HelperReply.parse(json).expiresAt({ now }), { code }, json);
  }
  const configuration = { 'plugin.some_Key': 'a' };
  const reply = helperReply({ key: new Secret('-----BEGIN'), configuration, serverClaims: { exp: 7200 } });
  const written = JSON.parse(reply.toDocument({ now }).expose());
  assert.deepEqual([written.server_claims.exp, written.configuration], [1767326645 + 7200, configuration]);
  assert.deepEqual(reply.toJSON().configuration, configuration);
  assert.doesNotMatch(show(reply) + JSON.stringify(reply), /BEGIN/);
});

it('a node is provisioned', () => {
  const [top, provisioner, node] = [Issuer.generate(), Issuer.generate(), Issuer.generate()];
  const key = IssuerKey.read(top.publicKey);
  const terms = { expiresAt, now };
  const appointment = top.appoint({ callerid: 'up=prov' }, { ...terms, publicKey: provisioner.publicKey });
  const chain = provisioner.appointed(verify(key, appointment, { kind: 'client', now }));
  const extensions = { role: 'db' };
  const fleet = { type: 'provisioning', token: new Secret('s3cret'), urls: ['nats://a'], extensions };
  const jwt = verify(key, top.issue(fleet, terms), { kind: 'provisioning', now });

  const ed25519Pubkey = { publicKey: node.publicKey };
  const asked = helperRequest({ identity: 'db1', inventory: '{}', ed25519Pubkey, jwt }).toDocument();
  const { role } = HelperRequest.parse(asked.expose()).toJSON().jwt.claims.extensions;
  const reply = helperReply({ serverClaims: { collectives: [role] }, configuration: {} });
  const issued = chain.issue(reply.server('db1'), { ...terms, publicKey: node.publicKey });
  const server = verify(key, issued, { kind: 'server', now });
  const { claims, publicKey } = server.toJSON();
  assert.deepEqual([claims.identity, claims.collectives, publicKey], ['db1', ['db'], node.publicKey]);
  assert.throws(() => chain.issue(fleet, { ...terms, publicKey }), { code: 'choria_not_an_issuer' });
  assert.throws(() => helperRequest({ identity: 'a', inventory: '', jwt: server }), { code: 'choria_wrong_purpose' });
});

// What handfast refuses and the library does not; the reasons are in `core/tests/choria/library.rs`.
const STRICTER = new Map([
  ['prov-trailing-newline', 'jwt_encoding'],
  ['prov-both-srv-and-urls', 'choria_two_brokers'],
  ['prov-iat-future', 'jwt_issued_ahead'],
]);

it('the library says the same', (test) => {
  const folder = realVectors('choria');
  if (!folder) return test.skip();
  const verdicts = JSON.parse(readFileSync(`${folder}/library-verdicts.json`, 'utf8'));
  const met = new Set();
  for (const { name, kind, verify_key, token, ok, claims_as_parsed } of verdicts.cases) {
    const { public_hex, public_pem } = verdicts.keys[verify_key];
    const judge = () => verify(IssuerKey.read(public_hex ?? public_pem), token, { kind, now: '2026-04-01T00:00:00Z' });
    const code = STRICTER.get(name);
    if (code !== undefined && ok) met.add(name);
    if (code !== undefined) assert.throws(judge, { code }, name);
    else if (ok) assert.deepEqual(JSON.parse(judge().toPayload().expose()), claims_as_parsed, name);
    else assert.throws(judge, { name: 'HandfastError' }, name);
  }
  assert.deepEqual([...met].sort(), [...STRICTER.keys()].sort());
  assert.ok(verdicts.cases.length >= 35);
});
