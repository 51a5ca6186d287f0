import type { Archive } from './archive.js';
import type { Secret } from './index.js';

/** What an `edgepkg-v2` token says. Evidence: only `verifyEdgeToken` makes one. */
export class EdgeToken {
  private constructor();
  /** The package's id. */
  readonly package: string;
  /** What the package is downloaded with, once. */
  readonly download: Secret;
  /** The core's URL, where the token names it. */
  readonly api: string | null;
}

/** What a `collectorpkg-v2` token says. Evidence: only `verifyCollectorToken` makes one. */
export class CollectorToken {
  private constructor();
  /** The package's id. */
  readonly package: string;
  /** What the bundle is downloaded with. */
  readonly download: Secret;
  /** Where the bundle is. */
  readonly url: string;
  /** When the token ends, in RFC 3339. */
  readonly expiresAt: string;
  /** The name that the collector's configuration is stored under, where the token gives one. */
  readonly config: string | null;
}

/** Signs an `edgepkg-v2` token. The key is base64 of the seed, or of the seed and its public key. */
export function edgeToken(options: {
  package: string;
  download: string | Secret;
  privateKey: string | Secret;
  api?: string;
}): Secret;

/** Gives what an authentic `edgepkg-v2` token says, and throws for every other. The key is base64 of 32 bytes. */
export function verifyEdgeToken(token: string | Secret, options: { publicKey: string }): EdgeToken;

/** Signs a `collectorpkg-v2` token. */
export function collectorToken(options: {
  url: string;
  package: string;
  download: string | Secret;
  expiresAt: Date | string;
  privateKey: string | Secret;
  config?: string;
}): Secret;

/** Gives what an authentic `collectorpkg-v2` token says that has not expired, and throws for every other. */
export function verifyCollectorToken(
  token: string | Secret,
  options: { publicKey: string; now?: Date | string },
): CollectorToken;

/** An edge package in ServiceRadar's layout. */
export class EdgePackage {
  private constructor();
  /** The archive's own name; throws where the gateway's id does not fit into one. */
  readonly fileName: string;
  /** The archive. */
  archive(): Archive;
}

/** Puts an edge package together. The metadata keeps the names of its members; a `Secret` in it is refused. */
export function edgePackage(options: {
  gateway: string;
  metadata: object;
  env: Readonly<Record<string, string | Secret>>;
  joinToken: string | Secret;
  /** The upstream SPIRE server's certificate authorities, in PEM. */
  bundle: string;
  readme?: string;
}): EdgePackage;
