// SPIFFE and SPIRE: the same cases as in every language, and an executor as a host would write it.
import assert from 'node:assert/strict';
import { it } from 'node:test';
import { inspect as show } from 'node:util';

import { Ledger, Secret, inspect, run, work } from 'handfast';
import * as spire from 'handfast/spire';

import { FakeClock, file, registrar } from './support.mjs';

const cases = JSON.parse(file('core/vectors/spire/cases.json'));
const { trust_domain: trustDomain, now } = cases;
const { token } = cases.alias;

/** The cases have the names of the protos; here they are written as protobuf libraries write them in JavaScript. */
function camel(value) {
  if (Array.isArray(value)) return value.map(camel);
  if (value === null || typeof value !== 'object') return value;
  const renamed = (name) => name.replace(/_(.)/g, (_, letter) => letter.toUpperCase());
  return Object.fromEntries(Object.entries(value).map(([name, member]) => [renamed(name), camel(member)]));
}

function throws(action, code, note) {
  assert.throws(action, (error) => error.code === code && !error.message.includes(token), note);
}

/** All that a log could show of a value. */
function seen(value) {
  const members = value instanceof Error ? `${value.message}${value.stack}` : '';
  return `${value}${JSON.stringify(value)}${members}${show(value, { depth: 9, showHidden: true })}`;
}

function read({ json, pem }) {
  return json === undefined ? spire.bundleFromPem(pem, { trustDomain }) : spire.bundleFromJson(json, { trustDomain });
}

it('bundles come out as in every language', () => {
  const { made, read: others, refused, replies } = cases.bundles;
  for (const one of made) {
    const bundle = read(one);
    assert.deepEqual([bundle.trustDomain, bundle.toJson(), bundle.toPem()], [trustDomain, one.json, one.pem]);
    const x509 = bundle.x509Authorities.map((der) => der.toString('base64'));
    assert.deepEqual(x509, one.x509_authorities);
    const jwt = bundle.jwtAuthorities.map(({ keyId, publicKey }) => [keyId, publicKey.toString('base64')]);
    assert.deepEqual(Object.fromEntries(jwt), one.jwt_authorities);
    assert.deepEqual([bundle.sequence, bundle.refreshHintSeconds], [one.sequence, one.refresh_hint_seconds]);
    assert.deepEqual(read({ pem: one.pem }).x509Authorities, bundle.x509Authorities);
  }
  for (const one of others) assert.equal(read(one).toJson(), one.expected, one.note);
  for (const one of refused) throws(() => read(one), one.code, one.note);
  for (const { note, reply, json, code } of replies) {
    const take = () => spire.bundleFromReply(camel(reply), { trustDomain, now });
    if (code) throws(take, code, note);
    else assert.equal(take().toJson(), json, note);
  }
  assert.deepEqual([made.length, others.length, refused.length, replies.length], [3, 3, 37, 17]);
});

it('entries come out as in every language', () => {
  const { made, refused } = cases.entries;
  for (const { entry, expected } of made) assert.deepEqual(spire.entry(camel(entry)), camel(expected));
  for (const { note, entry, code } of refused) throws(() => spire.entry(camel(entry)), code, note);
  assert.deepEqual([made.length, refused.length], [2, 16]);
});

it('an alias shows the token only when it is asked', () => {
  const { id, spiffe_id: spiffeId, expected, refused } = cases.alias;
  for (const given of [token, new Secret(token)]) {
    const alias = spire.aliasEntry(given, { id, spiffeId });
    assert.deepEqual(alias.expose(), camel(expected));
    assert.ok(!`${alias}${JSON.stringify(alias)}${show(alias)}`.includes(token));
  }
  for (const one of refused) {
    throws(() => spire.aliasEntry(one.token, { id, spiffeId: one.spiffe_id }), 'spire_invalid_request');
  }
  throws(() => spire.aliasEntry(token, { id: 'a/b', spiffeId }), 'invalid_input');
});

it('a join token says how long it lives', () => {
  for (const { expires_at: expiresAt, ttl } of cases.join_tokens) {
    const make = () => spire.joinTokenRequest(new Secret(token), { expiresAt, now, agentId: 'spiffe://example.org/a' });
    if (ttl === null) {
      throws(make, 'spire_invalid_request', expiresAt);
      continue;
    }
    const request = make();
    assert.deepEqual([request.ttl, request.token.expose(), request.agentId], [ttl, token, 'spiffe://example.org/a']);
    assert.ok(!`${JSON.stringify(request)}${show(request)}`.includes(token));
  }
});

it('answers mean the same in every language', () => {
  const { created, join_token: made, deleted } = cases.outcomes;
  const wanted = camel(cases.outcomes.wanted);
  for (const { status, found, outcome } of created) {
    assert.equal(spire.createdEntryOutcome(status, { wanted, found: camel(found) }), outcome, JSON.stringify(found));
  }
  for (const { status, message, outcome } of made) {
    assert.equal(spire.joinTokenOutcome(status, message), outcome, message);
  }
  for (const { status, outcome } of deleted) assert.equal(spire.deletedEntryOutcome(status), outcome);
  assert.deepEqual([created.length, made.length, deleted.length], [26, 7, 5]);
});

it('names have one spelling in every language', () => {
  const { trust_domains: domains, ids, selectors } = cases.names;
  for (const { text, valid } of domains) {
    const make = () => spire.bundleFromJson('{"keys":[]}', { trustDomain: text });
    if (valid) assert.equal(make().trustDomain, text);
    else throws(make, 'invalid_input', text);
  }
  for (const [group, partsOf] of [
    [ids, spire.spiffeId],
    [selectors, spire.selector],
  ]) {
    for (const { text, parts } of group) {
      if (parts === null) throws(() => partsOf(text), 'invalid_input', text);
      else assert.deepEqual(partsOf(text), camel(parts));
    }
  }
  assert.deepEqual([domains.length, ids.length, selectors.length], [14, 29, 17]);
});

it('slips are told without what was found', () => {
  // The token stands in all of them; a slip is no `collision`, upon which ours would be given up.
  for (const { note, path, wanted, found } of cases.slips) {
    const at = path.replace(/_(.)/g, (_, letter) => letter.toUpperCase());
    const slip = () => spire.createdEntryOutcome(6, { wanted: camel(wanted), found: camel(found) });
    assert.throws(slip, (error) => {
      assert.deepEqual([error.code, error.path], ['invalid_input', at], note);
      assert.ok(error.message.startsWith(`${at}: `), note);
      assert.ok(!seen(error).includes(token), note);
      return true;
    });
  }
  assert.equal(cases.slips.length, 22);
});

it('no secret is seen in a request or an error', () => {
  const until = { expiresAt: '2026-01-02T03:14:05Z', now };
  const request = spire.joinTokenRequest(token, until);
  for (const one of [request, { request }, [request], request.token]) assert.ok(!seen(one).includes(token));
  const mistakes = [
    () => spire.joinTokenRequest(`${token}/`, until),
    () => spire.joinTokenRequest(token, { ...until, agentId: token }),
    () => spire.joinTokenRequest(token, { expiresAt: token }),
    () => spire.joinTokenRequest(Buffer.from(token), until),
    () => spire.joinTokenRequest([token], until),
    () => spire.aliasEntry(`${token} `, { id: 'a', spiffeId: 'spiffe://example.org/a' }),
    () => spire.aliasEntry(token, { id: `${token}/`, spiffeId: 'spiffe://example.org/a' }),
    () => spire.aliasEntry(token, { id: 'a', spiffeId: token }),
    () => spire.entry({ id: new Secret(token) }),
    () => spire.entry({ id: `${token}/` }),
    () => spire.spiffeId(token),
    () => spire.selector(token),
    () => spire.bundleFromPem(token, { trustDomain }),
    () => spire.bundleFromJson(token, { trustDomain }),
    () => spire.bundleFromPem('', { trustDomain: `${token}/` }),
    () => spire.joinTokenOutcome(token),
  ];
  for (const mistake of mistakes) {
    assert.throws(mistake, (error) => Boolean(error.code) && !seen(error).includes(token), `${mistake}`);
  }
});

it('a status that is no number of gRPC is not taken for success', () => {
  const wanted = camel(cases.outcomes.wanted);
  for (const status of [NaN, 2 ** 32, 0.5, -0.5, Infinity, '0', null, undefined, true, 0n]) {
    throws(() => spire.joinTokenOutcome(status), 'invalid_input', String(status));
    throws(() => spire.deletedEntryOutcome(status), 'invalid_input', String(status));
    throws(() => spire.createdEntryOutcome(status, { wanted }), 'invalid_input', String(status));
  }
});

it('a reply is read with its bytes as gRPC libraries give them', () => {
  const { reply, json } = cases.bundles.replies[0];
  const given = camel(reply);
  const bytes = (text) => Buffer.from(text, 'base64');
  for (const one of given.x509Authorities) one.asn1 = bytes(one.asn1);
  for (const one of given.jwtAuthorities) one.publicKey = Uint8Array.from(bytes(one.publicKey));
  const before = show(given, { depth: 9 });
  assert.equal(spire.bundleFromReply(given, { trustDomain, now }).toJson(), json);
  assert.equal(show(given, { depth: 9 }), before);
  const texts = { trustDomain, x509Authorities: 'x' };
  for (const wrong of [null, 7, 'x', [], { trustDomain, x509Authorities: [null] }, texts]) {
    throws(() => spire.bundleFromReply(wrong, { trustDomain, now }), 'invalid_input', show(wrong));
  }
});

it('an executor makes what a package wants and takes it away', async () => {
  // The server's side is a map here; `make test-spire` has the real one.
  const server = new Map();
  const tokens = new Map();
  const id = 'spiffe://{trust_domain}/agents/{package}';
  const rules = { trustDomain, agentId: id, parentId: id, selectors: ['unix:uid:1000'] };
  const host = registrar({ spire: { ...rules, spiffeId: 'spiffe://{trust_domain}/edge/{name}' } });
  const store = new Ledger();
  const options = { registrar: host, now: new FakeClock().now };
  const ensure = (wanted) => {
    const found = server.get(wanted.id);
    server.set(wanted.id, wanted);
    return spire.createdEntryOutcome(found ? 6 : 0, { wanted, found });
  };
  const outcomeOf = ({ work: task }, revealed) => {
    switch (task.type) {
      case 'ensure_spire_join_token': {
        const request = spire.joinTokenRequest(revealed, { expiresAt: task.expiresAt, now: options.now });
        tokens.set(request.token.expose(), request.ttl);
        return spire.joinTokenOutcome(0);
      }
      case 'ensure_spire_alias':
        return ensure(spire.aliasEntry(revealed, task).expose());
      case 'ensure_spire_entry':
        return ensure(spire.entry(task.entry));
      default:
        return spire.deletedEntryOutcome(server.delete(task.id) ? 0 : 5);
    }
  };
  const execute = (effect, revealed) => {
    assert.equal(outcomeOf(effect, revealed), 'done');
    return { type: 'done' };
  };
  const contents = [{ type: 'spire_join_token' }, { type: 'spire_entry', x509SvidTtlSeconds: 600 }];
  const issue = { type: 'issue', authority: 'operator:ann', name: 'edge-1', contents };
  const { package: made } = await run(store, issue, options);
  assert.equal(await work.perform(store, execute, options), 3);
  assert.deepEqual([...tokens.values()], [900]);
  const paths = [...server.values()].map((entry) => entry.spiffeId.path).sort();
  assert.deepEqual(paths, [`/agents/${made}`, '/edge/edge-1']);
  await run(store, { type: 'revoke', authority: 'operator:ann', package: made }, options);
  assert.equal(await work.perform(store, execute, options), 2);
  assert.equal(server.size, 0);
});

it('a pasted text is named without its secret', () => {
  const text = 'abcdef.0123456789abcdef';
  for (const given of [text, new Secret(text), ` ${text}\n`]) {
    const expected = { type: 'kubernetes_bootstrap_token', id: 'abcdef', secretName: 'bootstrap-token-abcdef' };
    assert.deepEqual(inspect(given), expected);
  }
  assert.deepEqual(inspect('hf1_x'), { type: 'malformed', like: 'enrollment_token', code: 'malformed_token' });
  const cut = { type: 'malformed', like: 'service_radar', code: 'serviceradar_malformed_token' };
  assert.deepEqual(inspect('edgepkg-v2:x'), cut);
  const edge = `edgepkg-v2:eyJwa2ciOiJodW50ZXIyIiwiZGwiOiJodW50ZXIyIn0.${'A'.repeat(86)}`;
  assert.deepEqual(inspect(edge), { type: 'service_radar', kind: 'edge' });
  const jwt = { type: 'malformed', like: 'jwt', code: 'jwt_not_compact' };
  assert.deepEqual(inspect('eyJhbGciOiJFUzI1NiJ9.e30'), jwt);
  assert.deepEqual(inspect('hunter2'), { type: 'unknown' });
  throws(() => inspect(7), 'invalid_input');
});

it('pasted texts are named as in every language', () => {
  const texts = JSON.parse(file('core/vectors/inspect/cases.json'));
  for (const { note, text, expected, hidden } of texts) {
    for (const given of [text, new Secret(text)]) {
      const inspected = inspect(given);
      assert.deepEqual(inspected, camel(expected), note);
      const said = seen(inspected);
      const leaked = hidden.filter((one) => said.includes(one));
      assert.deepEqual(leaked, [], note);
    }
  }
  assert.equal(texts.length, 55);
});
