// The Kubernetes cases that every language runs.
import assert from 'node:assert/strict';
import { X509Certificate } from 'node:crypto';
import { it } from 'node:test';

import { Secret, kubernetes } from 'handfast';

import { file } from './support.mjs';

const { BootstrapToken, ClusterInfo, VerifiedClusterInfo, bootstrapSecret, caPin, signDetached, verifyDetached } =
  kubernetes;
const cases = JSON.parse(file('core/vectors/kubernetes/cases.json'));

it('tokens are exact', () => {
  const { accepted, refused } = cases.tokens;
  for (const text of accepted) {
    const token = BootstrapToken.parse(text);
    assert.equal(token.toSecret().expose(), text);
    assert.equal(token.secretName, `bootstrap-token-${token.id}`);
    assert.equal(BootstrapToken.parse(new Secret(text)).id, token.id);
  }
  for (const text of refused) {
    assert.throws(() => BootstrapToken.parse(text), { code: 'kubernetes_malformed_token' });
  }
  assert.deepEqual([accepted.length, refused.length], [4, 19]);
  assert.notEqual(BootstrapToken.generate().id, BootstrapToken.generate().id);
});

it('groups are those that Kubernetes accepts', () => {
  const make = (group) =>
    bootstrapSecret(BootstrapToken.generate(), { expiresAt: new Date(0), owner: 'a', groups: [group] });
  for (const group of cases.groups.accepted) assert.ok(make(group).toYaml().expose().includes(group));
  for (const group of cases.groups.refused) assert.throws(() => make(group), { code: 'kubernetes_invalid_manifest' });
  assert.deepEqual([cases.groups.accepted.length, cases.groups.refused.length], [4, 12]);
});

it('manifests have these bytes', () => {
  for (const { token, expires_at: expiresAt, owner, instance, groups, description, yaml, json } of cases.manifests) {
    const more = description === null ? {} : { description };
    const secret = bootstrapSecret(BootstrapToken.parse(token), { expiresAt, owner, instance, groups, ...more });
    assert.equal(secret.toYaml().expose(), yaml);
    assert.equal(secret.toManifest().expose(), json);
    assert.equal(secret.namespace, 'kube-system');
  }
  assert.equal(cases.manifests.length, 6);
});

it('labels stand beside the fixed ones', () => {
  const options = { expiresAt: '2026-01-01T00:00:00Z', owner: 'a', labels: { 'example.org/pool_name': 'B_1' } };
  const manifest = bootstrapSecret(BootstrapToken.generate(), options).toManifest().expose();
  assert.equal(JSON.parse(manifest).metadata.labels['example.org/pool_name'], 'B_1');
  const wrong = { ...options, labels: { 'a b': 'c' } };
  assert.throws(() => bootstrapSecret(BootstrapToken.generate(), wrong), { code: 'kubernetes_invalid_manifest' });
  assert.throws(() => bootstrapSecret(BootstrapToken.generate(), { owner: 'a', expiresAt: 'soon' }), {
    path: 'expiresAt',
  });
  for (const wrong of [
    '07401b.f395accd246ae52d',
    new Secret('07401b.f395accd246ae52d'),
    {},
    null,
    Object.create(BootstrapToken.prototype),
  ]) {
    assert.throws(() => bootstrapSecret(wrong, options), { code: 'invalid_input' });
  }
});

it('cluster-info becomes a kubeconfig, and is proven by tokens and pins', () => {
  const { accepted, refused } = cases.cluster_infos;
  for (const one of accepted) {
    const info = ClusterInfo.fromConfigMap(one.config_map);
    assert.equal(info.server, one.server);
    assert.equal(Buffer.from(info.authority).toString(), one.authority);
    assert.deepEqual(info.pins(), one.pins);
    for (const [place, text] of one.tokens.entries()) {
      const token = BootstrapToken.parse(text);
      const verified = info.verify(token);
      assert.ok(verified instanceof VerifiedClusterInfo);
      assert.equal(verified.kubeconfig(token).expose(), one.kubeconfigs[place]);
      assert.equal(info.kubeconfig(token).expose(), one.kubeconfigs[place]);
      const [id, secret] = text.split('.');
      const other = BootstrapToken.parse(`${id}.${[...secret].reverse().join('')}`);
      assert.throws(() => info.verify(other), { code: 'kubernetes_bad_signature' });
      assert.throws(() => info.verify(BootstrapToken.parse(`zzzzzz.${secret}`)), {
        code: 'kubernetes_missing_signature',
      });
    }
    const wrong = `sha256:${'0'.repeat(64)}`;
    for (const pin of one.pins) assert.equal(info.verifyPinned([wrong, pin]).server, one.server);
    for (const pins of [[], [wrong]]) assert.throws(() => info.verifyPinned(pins), { code: 'kubernetes_pin_mismatch' });
  }
  for (const one of refused) {
    const map = one.config_map ?? ' '.repeat(one.config_map_of_spaces);
    assert.throws(() => ClusterInfo.fromConfigMap(map), { code: one.code }, one.note);
  }
  assert.deepEqual([accepted.length, refused.length], [6, 26]);
  assert.throws(() => new VerifiedClusterInfo(), { code: 'misuse' });
});

it('signatures are those of the bootstrap signer', () => {
  const { accepted, refused } = cases.signatures;
  for (const { content, token: text, signature } of accepted) {
    const token = BootstrapToken.parse(text);
    assert.equal(signDetached(content, token), signature);
    verifyDetached(content, token, signature);
  }
  for (const { content, token, signature, note } of refused) {
    assert.throws(
      () => verifyDetached(content, BootstrapToken.parse(token), signature),
      { code: 'kubernetes_bad_signature' },
      note,
    );
  }
  assert.deepEqual([accepted.length, refused.length], [8, 9]);
});

it('pins name the key of a certificate', () => {
  const { accepted, same, refused } = cases.pins;
  for (const { certificate, pin } of accepted) {
    const der = new X509Certificate(certificate).raw;
    assert.equal(caPin(certificate), pin);
    assert.equal(caPin(der), pin);
    for (const bad of [der.subarray(1), Buffer.concat([der, Buffer.alloc(1)]), '', 'hello']) {
      assert.throws(() => caPin(bad), { code: 'kubernetes_malformed_certificate' });
    }
  }
  const info = ClusterInfo.fromConfigMap(cases.cluster_infos.accepted[0].config_map);
  for (const pin of same) assert.throws(() => info.verifyPinned([pin]), { code: 'kubernetes_pin_mismatch' });
  for (const pin of refused) assert.throws(() => info.verifyPinned([pin]), { code: 'kubernetes_malformed_pin' });
  assert.deepEqual([accepted.length, same.length, refused.length], [3, 3, 12]);
});
