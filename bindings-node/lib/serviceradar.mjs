// ServiceRadar: `edgepkg-v2` and `collectorpkg-v2` tokens, and the archive of an edge package.
import { give, moment } from './carry.mjs';
import native from './native.mjs';

export const { EdgeToken, CollectorToken, EdgePackage } = native;

/** Signs an `edgepkg-v2` token. */
export function edgeToken({ package: id, download, privateKey, api }) {
  return native.edgeToken(id, download, privateKey, api);
}

/** Gives what an authentic `edgepkg-v2` token says, and throws for every other. */
export function verifyEdgeToken(token, { publicKey }) {
  return native.verifyEdgeToken(token, publicKey);
}

/** Signs a `collectorpkg-v2` token. */
export function collectorToken({ url, package: id, download, expiresAt, privateKey, config }) {
  return native.collectorToken(url, id, download, moment(expiresAt, 'expiresAt'), privateKey, config);
}

/** Gives what an authentic `collectorpkg-v2` token says that has not expired, and throws for every other. */
export function verifyCollectorToken(token, { publicKey, now }) {
  return native.verifyCollectorToken(token, publicKey, moment(now));
}

/** Puts an edge package together. */
export function edgePackage({ gateway, metadata, env, joinToken, bundle, readme }) {
  const [keys, values] = [Object.keys(env), Object.values(env)];
  return new native.EdgePackage(gateway, give(metadata).json, keys, values, joinToken, bundle, readme);
}
