// ServiceRadar's tokens and packages.
import assert from 'node:assert/strict';
import { it } from 'node:test';
import { inspect } from 'node:util';

import { Secret } from 'handfast';
import { collectorToken, edgePackage, edgeToken, verifyCollectorToken, verifyEdgeToken } from 'handfast/serviceradar';

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

it('a package must be one that its programs take', () => {
  const options = { gateway: 'edge-7', metadata: { label: 'Edge 7' }, env: { A: 'b' }, joinToken: 'join' };
  const made = edgePackage({ ...options, bundle: 'no certificate' });
  assert.equal(made.fileName, 'edge-package-edge-7.tar.gz');
  assert.throws(() => made.archive(), { code: 'serviceradar_invalid_package' });
});
