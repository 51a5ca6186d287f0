// A node's key against the cases of every language, and its proofs against another implementation.
import assert from 'node:assert/strict';
import { createHash, createPublicKey, verify } from 'node:crypto';
import { it } from 'node:test';
import { inspect } from 'node:util';

import { NodeKey, Secret } from 'handfast';

import { file } from './support.mjs';

const cases = JSON.parse(file('core/vectors/jose/cases.json'));

/** Header and claims, after Node.js itself has verified the signature. */
function verified(proof) {
  const [header, claims, signature] = proof.split('.');
  const read = (part) => JSON.parse(Buffer.from(part, 'base64url'));
  const key = createPublicKey({ key: read(header).jwk, format: 'jwk' });
  const [hash, options] = read(header).alg === 'EdDSA' ? [null, {}] : ['sha256', { dsaEncoding: 'ieee-p1363' }];
  const signed = Buffer.from(`${header}.${claims}`);
  assert.ok(verify(hash, signed, { key, ...options }, Buffer.from(signature, 'base64url')));
  return { header: read(header), claims: read(claims) };
}

it('keys are read and written', () => {
  for (const { algorithm, pem, jwk, thumbprint } of cases.keys) {
    for (const given of [pem, new Secret(pem)]) {
      const key = NodeKey.fromPem(given);
      assert.equal(key.toPem().expose(), pem);
      assert.deepEqual(key.publicJwk(), jwk);
      assert.deepEqual([key.algorithm, key.thumbprint], [algorithm, thumbprint]);
    }
  }
  for (const [note, pem] of Object.entries(cases.refused_keys)) {
    assert.throws(() => NodeKey.fromPem(pem), { code: 'unusable_key', message: 'unusable key' }, note);
  }
  assert.deepEqual([cases.keys.length, Object.keys(cases.refused_keys).length], [4, 10]);
  assert.throws(() => NodeKey.fromPem(7), { code: 'invalid_input' });
});

it('a key is drawn anew each time and stays hidden', () => {
  for (const algorithm of ['ES256', 'EdDSA']) {
    const [key, other] = [NodeKey.generate(algorithm), NodeKey.generate(algorithm)];
    assert.equal(key.algorithm, algorithm);
    assert.notEqual(key.thumbprint, other.thumbprint);
    assert.equal(inspect(key), `NodeKey ${algorithm} ${key.thumbprint} [redacted]`);
    assert.equal(JSON.stringify(key), JSON.stringify({ algorithm, thumbprint: key.thumbprint }));
    assert.equal(`${key}`, '[redacted]');
    assert.ok(!('d' in key.publicJwk()));
    assert.equal(NodeKey.fromPem(key.toPem()).thumbprint, key.thumbprint);
  }
  assert.equal(NodeKey.generate().algorithm, 'ES256');
  for (const algorithm of ['RS256', 'HS256', 'none', 'es256', '']) {
    assert.throws(() => NodeKey.generate(algorithm), { code: 'invalid_input', path: 'algorithm' });
  }
  assert.throws(() => new NodeKey(), { code: 'misuse' });
});

it('proofs say what the vectors say', () => {
  for (const { key: position, method, url, token, nonce, now, claims: expected, proof } of cases.proofs) {
    const key = NodeKey.fromPem(cases.keys[position].pem);
    const { header, claims } = verified(key.makeProof({ method, url, token, nonce, now }));
    assert.deepEqual(header, { alg: key.algorithm, typ: 'dpop+jwt', jwk: key.publicJwk() });
    assert.equal(Buffer.from(claims.jti, 'base64url').length, 16);
    assert.notEqual(claims.jti, expected.jti);
    assert.deepEqual({ ...claims, jti: '' }, { ...expected, jti: '' });
    if (token !== undefined) {
      const same = verified(key.makeProof({ method, url, token: new Secret(token), nonce, now: new Date(now) }));
      assert.equal(same.claims.ath, claims.ath);
    }
    assert.deepEqual(verified(proof).claims, expected);
  }
  assert.equal(cases.proofs.length, 10);
});

it('what is no request is told where it is wrong', () => {
  const key = NodeKey.generate();
  for (const request of cases.refused_proofs) {
    const good = request.url.startsWith('https://enroll.example/api/');
    const path = 'nonce' in request ? 'nonce' : good ? 'method' : 'url';
    assert.throws(() => key.makeProof(request), { code: 'invalid_input', path });
  }
  assert.equal(cases.refused_proofs.length, 13);
  const good = { method: 'GET', url: 'https://a.example' };
  for (const wrong of [
    { token: 7 },
    { nonce: 7 },
    { now: 'soon' },
    { now: 7 },
    { method: 7 },
    { url: 7 },
    { more: 1 },
  ]) {
    assert.throws(() => key.makeProof({ ...good, ...wrong }), { code: 'invalid_input' });
  }
  assert.throws(() => key.makeProof(), { code: 'invalid_input', path: 'method' });
});

it('a proof is of its moment and of its own', () => {
  const key = NodeKey.generate('EdDSA');
  const request = { method: 'POST', url: 'https://a.example/x', token: 'hf1_A' };
  const make = (more) => verified(key.makeProof({ ...request, ...more })).claims;
  const now = new Date('2026-01-02T03:04:05.678Z');
  const [first, second] = [make({ now }), make({ now })];
  assert.deepEqual([first.iat, second.iat], [1767323045, 1767323045]);
  assert.notEqual(first.jti, second.jti);
  assert.equal(first.ath, createHash('sha256').update('hf1_A').digest('base64url'));
  const [before, made] = [Date.now() / 1000, make({}).iat];
  assert.ok(made >= before - 1 && made <= Date.now() / 1000);
});
