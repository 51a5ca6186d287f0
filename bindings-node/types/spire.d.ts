import type { Secret } from './index.js';

/** A `spire.api.types.SPIFFEID`. */
export interface Id {
  trustDomain: string;
  path: string;
}

/** A `spire.api.types.Selector`. */
export interface Selector {
  type: string;
  value: string;
}

/** A `spire.api.types.Entry` as protobuf libraries read and write it in JSON, without what the server sets itself. */
export interface Entry {
  id: string;
  spiffeId: Id;
  parentId: Id;
  selectors: Selector[];
  x509SvidTtl: number;
  jwtSvidTtl: number;
  federatesWith: string[];
  admin: boolean;
  downstream: boolean;
  /** Seconds of the Unix epoch; never for 0. */
  expiresAt: number;
  dnsNames: string[];
  storeSvid: boolean;
  hint: string;
}

/**
 * What has become of the work. `done` and `collision` are reported as they are, `refused` as `failed`; after `altered` the entry,
 * which is ours, is deleted and made again.
 */
export type Outcome = 'done' | 'collision' | 'altered' | 'refused' | 'unknown';

/** The authorities of one trust domain: whoever signs with one of their keys can be any workload in it. */
export class Bundle {
  private constructor();
  /** Whose bundle it is. */
  readonly trustDomain: string;
  /** The authorities for X.509-SVIDs, certificates in DER. */
  readonly x509Authorities: Buffer[];
  /** The authorities for JWT-SVIDs, DER SubjectPublicKeyInfos. */
  readonly jwtAuthorities: { keyId: string; publicKey: Buffer }[];
  /** Rises with each change. */
  readonly sequence: number | null;
  /** How often readers should look for a newer one. */
  readonly refreshHintSeconds: number | null;
  /** The certificates in PEM, for an agent's `trust_bundle_path`. */
  toPem(): string;
  /** The JSON of the standard, the same bytes each time. */
  toJson(): string;
}

/** Reads certificates in PEM. */
export function bundleFromPem(text: string, options: { trustDomain: string }): Bundle;

/** Reads the JSON of the standard, as `spire-server bundle show -format spiffe` prints it. */
export function bundleFromJson(text: string, options: { trustDomain: string }): Bundle;

/**
 * Reads what `GetBundle` answers, as protobuf libraries write it (bytes as they are or in base64, 64-bit integers as numbers or
 * text), without authorities that are tainted or over.
 */
export function bundleFromReply(reply: object, options: { trustDomain: string; now?: Date | string }): Bundle;

/** What `CreateJoinToken` takes. */
export class JoinTokenRequest {
  private constructor();
  /** The value. */
  readonly token: Secret;
  /** Seconds to live. */
  readonly ttl: number;
  /** The id that the agent gets besides its own. */
  readonly agentId: string | null;
}

/** A join token of our own value, for the effect `ensure_spire_join_token`. It cannot be deleted upstream. */
export function joinTokenRequest(
  token: string | Secret,
  options: { expiresAt: Date | string; now?: Date | string; agentId?: string },
): JoinTokenRequest;

/** The entry that gives the agent attested by a join token an id besides SPIRE's own. */
export class AliasEntry {
  private constructor();
  /** The entry as `BatchCreateEntry` takes it. It holds the token. */
  expose(): Entry;
}

/** The entry for the effect `ensure_spire_alias`. */
export function aliasEntry(token: string | Secret, options: { id: string; spiffeId: string }): AliasEntry;

/** The parts of a SPIFFE id as SPIRE's API has them, as of `agentId` of a request. */
export function spiffeId(text: string): Id;

/** The parts of a selector, `type:value`, as SPIRE's API has them. */
export function selector(text: string): Selector;

/** The entry of the effect `ensure_spire_entry` as `BatchCreateEntry` takes it; throws for one that a server would refuse. */
export function entry(wanted: object): Entry;

/**
 * What a result of `BatchCreateEntry` says, by its status code and the entry that came with it. What is no entry throws, so that a
 * slip does not pass for somebody else's; so do 64-bit integers in objects of two halves: have them as text, which `longs: String`
 * is for in `@grpc/proto-loader`.
 */
export function createdEntryOutcome(status: number, options: { wanted: Entry; found?: object | null }): Outcome;

/** What a result of `BatchDeleteEntry` says. */
export function deletedEntryOutcome(status: number): Outcome;

/** What the answer to `CreateJoinToken` says, by its status code and message. */
export function joinTokenOutcome(status: number, message?: string): Outcome;
