// ServiceRadar's tokens and packages: the same cases as in every language, and those that its own programs judged.
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { it } from 'node:test';
import { inspect } from 'node:util';
import { gunzipSync } from 'node:zlib';

import { Secret } from 'handfast';
import { collectorToken, edgePackage, edgeToken, verifyCollectorToken, verifyEdgeToken } from 'handfast/serviceradar';

import { CERTIFICATE, file, realVectors } from './support.mjs';

const cases = JSON.parse(file('core/vectors/serviceradar/cases.json'));
const [ours] = cases.private_keys;
/** Members that are `null` in a case are left out in JavaScript. */
const given = (value) => value ?? undefined;

it('edge tokens come out as in every language', () => {
  const { made, read, refused } = cases.edge;
  for (const one of [...made, ...read]) {
    const { package: id, download, api, token } = one;
    const signed = edgeToken({ package: id, download, api: given(api), privateKey: ours }).expose();
    assert.equal(signed === token, made.includes(one), token);
    for (const publicKey of cases.public_keys) {
      const verified = verifyEdgeToken(new Secret(token), { publicKey });
      assert.deepEqual([verified.package, verified.download.expose(), verified.api ?? null], [id, download, api]);
    }
  }
  for (const { note, token, code } of refused) {
    assert.throws(() => verifyEdgeToken(token, { publicKey: cases.public_keys[0] }), { code }, note);
  }
  assert.deepEqual([made.length, read.length, refused.length], [5, 1, 58]);
});

it('collector tokens come out as in every language', () => {
  const { made, read, refused } = cases.collector;
  const options = { publicKey: cases.public_keys[0], now: cases.now };
  for (const one of [...made, ...read]) {
    const { package: id, download, url, config, expires_at: expiresAt, token } = one;
    const more = { url, expiresAt, config: given(config), privateKey: ours };
    assert.equal(collectorToken({ package: id, download, ...more }).expose() === token, made.includes(one), token);
    const verified = verifyCollectorToken(token, options);
    assert.deepEqual([verified.package, verified.download.expose(), verified.url], [id, download, url]);
    assert.deepEqual([verified.config ?? null, verified.expiresAt], [config, expiresAt]);
  }
  for (const { note, token, code } of refused) {
    assert.throws(() => verifyCollectorToken(token, options), { code }, note);
  }
  assert.deepEqual([made.length, read.length, refused.length], [2, 1, 23]);
});

it('keys are those that its own programs take', () => {
  const [{ package: id, download, api, token }] = cases.edge.made;
  const sign = (privateKey) => edgeToken({ package: id, download, api, privateKey });
  for (const key of cases.private_keys) assert.equal(sign(key).expose(), token);
  for (const key of cases.refused_private_keys) assert.throws(() => sign(key), { code: 'unusable_key' }, key);
  for (const key of cases.refused_public_keys) {
    assert.throws(() => verifyEdgeToken(token, { publicKey: key }), { code: 'unusable_key' }, key);
  }
});

it('tokens are as its own programs write and read them', (test) => {
  const folder = realVectors('serviceradar');
  if (folder === null) return test.skip();
  const found = JSON.parse(readFileSync(`${folder}/edgepkg-tokens.json`, 'utf8'));
  const options = { package: 'pkg-123', download: 'dl-456', api: 'demo.example.com' };
  assert.equal(edgeToken({ ...options, privateKey: found.private_key_env }).expose(), found.rust_encode_v2);
  const accepted = found.tokens.filter(({ token, public_key_env: publicKey }) => {
    try {
      return Boolean(verifyEdgeToken(token, { publicKey }));
    } catch {
      return false;
    }
  });
  for (const { name, results } of accepted) assert.ok(results['go-head'].startsWith('OK '), name);
  assert.deepEqual([accepted.length, found.tokens.length], [5, 44]);
});

// RFC 8032, section 7.1, test 1.
const privateKey = 'nWGxne/9WmC6hEr0kuwsxERJxWl7MmkZcDusAxyuf2A=';
const publicKey = '11qYAYKxCrfVS/7TyWQHOg7hcvPapiMlrwIaaPcHURo=';
const edge = () =>
  edgeToken({ package: 'pkg-123', download: new Secret('dl-456'), privateKey, api: 'demo.example.com' });

it('an edge token is signed and verified', () => {
  assert.equal(edge().expose(), edge().expose());
  const token = verifyEdgeToken(edge(), { publicKey });
  assert.deepEqual(
    [token.package, token.download.expose(), token.api],
    ['pkg-123', 'dl-456', 'https://demo.example.com'],
  );
  assert.ok(!inspect(token).includes('dl-456'));
});

it('a collector token ends', () => {
  const options = { url: 'https://demo.example.com', package: 'p', download: 'dl', privateKey };
  const token = collectorToken({ ...options, expiresAt: '2026-01-02T03:04:05Z', config: 'otel.toml' });
  const verified = verifyCollectorToken(token, { publicKey, now: new Date('2026-01-02T03:04:04Z') });
  assert.deepEqual([verified.url, verified.config], ['https://demo.example.com', 'otel.toml']);
  const late = { publicKey, now: '2026-01-02T03:04:05Z' };
  assert.throws(() => verifyCollectorToken(token, late), { code: 'serviceradar_expired' });
});

it('what is no edge token is refused', () => {
  const refused = (token, code) => assert.throws(() => verifyEdgeToken(token, { publicKey }), { code });
  refused('edgepkg-v1:e30', 'serviceradar_unsigned_token');
  refused('collectorpkg-v2:e30.AAAA', 'serviceradar_wrong_kind');
  refused('hunter2', 'serviceradar_malformed_token');
  const other = edgeToken({ package: 'pkg-124', download: 'dl-456', privateKey }).expose();
  refused(`${other.split('.')[0]}.${edge().expose().split('.')[1]}`, 'serviceradar_bad_signature');
  assert.throws(() => verifyEdgeToken(edge(), { publicKey: '00'.repeat(32) }), { code: 'unusable_key' });
});

it('an argument that is missing is named', () => {
  for (const [action, path] of [
    [() => verifyEdgeToken(edge()), 'publicKey'],
    [() => verifyCollectorToken(undefined, { publicKey }), 'token'],
    [() => edgeToken(), 'package'],
    [() => edgeToken({ package: 'a', download: 'b' }), 'privateKey'],
    [() => collectorToken({ url: 'https://a.example' }), 'package'],
    [() => edgePackage({ gateway: 'edge-7', metadata: {} }), 'env'],
  ]) {
    assert.throws(action, { code: 'invalid_input', path });
  }
});

it('a package must be one that its programs take', () => {
  const options = { gateway: 'edge-7', metadata: { label: 'Edge 7' }, env: { A: 'b' }, joinToken: 'join' };
  const made = edgePackage({ ...options, bundle: 'no certificate' });
  assert.equal(made.fileName, 'edge-package-edge-7.tar.gz');
  assert.throws(() => made.archive(), { code: 'serviceradar_invalid_package' });
});

it('the metadata keeps the names that somebody chose, and holds no secret', () => {
  const options = { gateway: 'edge-7', env: {}, joinToken: new Secret('join'), bundle: CERTIFICATE.toString() };
  const metadata = { package_id: 'p-1', siteName: 'north', nested: { a_b: [{ cD: 1 }] } };
  const archive = edgePackage({ ...options, metadata }).archive();
  assert.deepEqual(archive.names, [
    'README.txt',
    'metadata.json',
    'edge-gateway.env',
    'spire/upstream-join-token',
    'spire/upstream-bundle.pem',
  ]);
  assert.deepEqual(JSON.parse(fileIn(archive, 'metadata.json')), metadata);
  assert.equal(fileIn(archive, 'spire/upstream-join-token'), 'join\n');
  const leaky = edgePackage({ ...options, metadata: { notes: [new Secret('hunter2')] } });
  assert.throws(() => leaky.archive(), { code: 'serviceradar_invalid_package', message: /no secrets/ });
  assert.throws(() => edgePackage({ ...options, metadata: undefined }), { code: 'invalid_input' });
});

/** The text of a file in a gzipped tar: headers of 512 bytes, each before its content, which fills blocks of 512. */
function fileIn(archive, name) {
  const tar = gunzipSync(archive.toTarGz());
  for (let at = 0; tar[at] !== 0; ) {
    const size = parseInt(tar.toString('latin1', at + 124, at + 135), 8);
    if (tar.toString('latin1', at, tar.indexOf(0, at)) === name) return tar.toString('utf8', at + 512, at + 512 + size);
    at += 512 + Math.ceil(size / 512) * 512;
  }
  return undefined;
}
