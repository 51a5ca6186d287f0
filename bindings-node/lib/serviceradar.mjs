// ServiceRadar: `edgepkg-v2` and `collectorpkg-v2` tokens, and the archive of an edge package.
import { give, moment } from './carry.mjs';
import { invalid } from './error.mjs';
import native from './native.mjs';

export const { EdgeToken, CollectorToken, EdgePackage } = native;

/** Signs an `edgepkg-v2` token. */
export function edgeToken({ package: id, download, privateKey, api } = {}) {
  given({ package: id, download, privateKey });
  return native.edgeToken(id, download, privateKey, api);
}

/** Gives what an authentic `edgepkg-v2` token says, and throws for every other. */
export function verifyEdgeToken(token, { publicKey } = {}) {
  given({ token, publicKey });
  return native.verifyEdgeToken(token, publicKey);
}

/** Signs a `collectorpkg-v2` token. */
export function collectorToken({ url, package: id, download, expiresAt, privateKey, config } = {}) {
  given({ url, package: id, download, expiresAt, privateKey });
  return native.collectorToken(url, id, download, moment(expiresAt, 'expiresAt'), privateKey, config);
}

/** Gives what an authentic `collectorpkg-v2` token says that has not expired, and throws for every other. */
export function verifyCollectorToken(token, { publicKey, now } = {}) {
  given({ token, publicKey });
  return native.verifyCollectorToken(token, publicKey, moment(now));
}

/** Puts an edge package together. */
export function edgePackage({ gateway, metadata, env, joinToken, bundle, readme } = {}) {
  given({ gateway, metadata, env, joinToken, bundle });
  const [keys, values] = [Object.keys(env), Object.values(env)];
  return new native.EdgePackage(gateway, give(metadata).json, keys, values, joinToken, bundle, readme);
}

/** Names the first argument that is not there. */
function given(members) {
  const missing = Object.keys(members).find((name) => members[name] === undefined || members[name] === null);
  if (missing !== undefined) throw invalid(missing, 'is required');
}
