// Nodes that prove a key: nonces, credentials, and the keys they verify under.
import assert from 'node:assert/strict';
import { createPublicKey, verify } from 'node:crypto';
import { describe, it } from 'node:test';

import { NodeKey, Registrar } from 'handfast';

import { KEYS, STORES, World } from './support.mjs';

const BASE = 'https://enroll.example/api';
const POLICY = { baseUrl: BASE, issuer: 'https://enroll.example' };
const SIGNING = NodeKey.generate('EdDSA');

function worldWith(store, signing) {
  const world = new World(store);
  world.registrar = new Registrar(POLICY, { ...KEYS, signing });
  return world;
}

/** A node with its key. Its clock was never set, and need not be. */
class Node {
  key = NodeKey.generate();
  asked = 0;

  constructor(world, nonce) {
    this.world = world;
    this.nonce = nonce;
  }

  /** Does what a node does: on `use_nonce` it tries once more. */
  async ask(path, token, command) {
    for (;;) {
      this.asked += 1;
      const request = { method: 'POST', url: BASE + path, token, nonce: this.nonce, now: '1970-01-01T00:00:00Z' };
      const answer = await this.world.run({ ...command, proof: this.key.makeProof(request) });
      if (answer.type !== 'use_nonce') return answer;
      this.nonce = answer.nonce;
    }
  }

  redeem(token) {
    return this.ask('/redeem', token, { type: 'redeem', token });
  }

  checkIn(node, credential, sequence) {
    return this.ask('/check-in', credential, { type: 'check_in', node, credential, sequence });
  }
}

/** What a credential says, after Node.js itself has verified it. */
function claims(credential, jwks) {
  const [header, body, signature] = credential.expose().split('.');
  const read = (part) => JSON.parse(Buffer.from(part, 'base64url'));
  const jwk = jwks.keys.find(({ kid }) => kid === read(header).kid);
  const key = createPublicKey({ key: jwk, format: 'jwk' });
  assert.ok(verify(null, Buffer.from(`${header}.${body}`), key, Buffer.from(signature, 'base64url')));
  return read(body);
}

for (const [name, make] of Object.entries(STORES)) {
  describe(`on ${name}`, () => {
    it('a node that proves its key is given a credential', async () => {
      const world = worldWith(make(), { current: 's1', keys: { s1: SIGNING } });
      const node = new Node(world);
      const { token } = await world.issue('edge-1');
      const redeemed = await node.redeem(token);
      assert.deepEqual([redeemed.type, node.asked], ['redeemed', 2]);
      const said = claims(redeemed.credential.token, world.registrar.publicJwks());
      assert.deepEqual([said.sub, said.iss, said.cnf.jkt], [redeemed.node, POLICY.issuer, node.key.thumbprint]);
      const again = await node.redeem(token);
      assert.ok(again.again && again.credential.token.equals(redeemed.credential.token));
      const checkedIn = await node.checkIn(redeemed.node, redeemed.credential.token, 1);
      assert.equal(checkedIn.type, 'checked_in');
      assert.ok(!checkedIn.credential.token.equals(redeemed.credential.token));
      const thief = new Node(world);
      assert.equal((await thief.checkIn(redeemed.node, checkedIn.credential.token, 2)).type, 'refused');
    });

    it('a nonce that was given beforehand saves a turn', async () => {
      const world = worldWith(make());
      const node = new Node(world, world.registrar.nonce({ now: world.clock.now }));
      const redeemed = await node.redeem((await world.issue('edge-1')).token);
      assert.deepEqual([redeemed.type, redeemed.credential, node.asked], ['redeemed', undefined, 1]);
      assert.equal(world.registrar.publicJwks(), null);
      const stale = new Node(world, world.registrar.nonce({ now: world.clock.now }));
      world.clock.advance(61);
      assert.equal((await stale.redeem((await world.issue('edge-2')).token)).type, 'redeemed');
      assert.equal(stale.asked, 2);
    });

    it('keys are rotated, and what was signed before still verifies', async () => {
      const store = make();
      const node = new Node(worldWith(store, { current: 's1', keys: { s1: SIGNING } }));
      const redeemed = await node.redeem((await node.world.issue('edge-1')).token);
      const keys = { s1: SIGNING.toPem(), s2: NodeKey.generate('EdDSA').toPem().expose() };
      node.world = worldWith(store, { current: 's2', keys });
      const checkedIn = await node.checkIn(redeemed.node, redeemed.credential.token, 1);
      const jwks = node.world.registrar.publicJwks();
      assert.deepEqual(
        jwks.keys.map(({ kid, d }) => [kid, d]),
        [
          ['s1', undefined],
          ['s2', undefined],
        ],
      );
      assert.equal(claims(checkedIn.credential.token, jwks).sub, redeemed.node);
    });
  });
}

it('what is no key is told where it is wrong', () => {
  const pem = SIGNING.toPem().expose();
  for (const key of [pem, Buffer.from(pem), SIGNING, SIGNING.toPem()]) {
    assert.ok(worldWith(null, { current: 's1', keys: { s1: key } }).registrar.publicJwks());
  }
  for (const key of ['a', Buffer.of(255), pem.replaceAll('PRIVATE', 'PUBLIC')]) {
    const wrong = { code: 'invalid_input', path: 'signing.keys.s1' };
    assert.throws(() => worldWith(null, { current: 's1', keys: { s1: key } }), wrong);
  }
  const other = { current: 's2', keys: { s1: SIGNING } };
  assert.throws(() => worldWith(null, other), { code: 'invalid_input', path: 'signing.current' });
  for (const signing of [{ keys: { s1: SIGNING } }, { current: 's1', keys: { s1: 7 } }, null]) {
    assert.throws(() => worldWith(null, signing), { code: 'invalid_input', path: 'signing' });
  }
});
