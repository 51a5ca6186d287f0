import type { Secret } from './index.js';
import type { Instant } from './vocabulary.js';

/** The kinds of tokens. */
export type Kind = 'provisioning' | 'server' | 'client';

/** What a fleet carries: where it is provisioned, and with what secret. */
export interface Provisioning {
  type: 'provisioning';
  /** The secret with which a provisioner may configure a node. */
  token: Secret | string;
  /** The brokers; these or `srvDomain`. */
  urls?: readonly string[];
  /** Where the brokers are looked up. */
  srvDomain?: string | null;
  /** Connect with TLS; on unless said otherwise. */
  secure?: boolean;
  /** Whether a node without configuration goes into provisioning by itself. */
  byDefault?: boolean;
  /** The file whose content the node publishes while it waits. */
  registration?: string | null;
  /** The file with the node's facts. */
  facts?: string | null;
  /** The user at the broker. */
  user?: string | null;
  /** The user's password. */
  password?: Secret | string | null;
  /** What the operator's helper understands. Everybody who has the token can read it. */
  extensions?: Record<string, unknown> | null;
  ou?: string;
  /** Choria's second protocol. */
  protocol2?: boolean;
  /** Whether the provisioner may replace the node's program. */
  update?: boolean;
}

/** Who a node is. */
export interface Server {
  type: 'server';
  identity: string;
  /** At least one. */
  collectives: readonly string[];
  permissions?: ServerPermissions | null;
  ou?: string;
  pubSubjects?: readonly string[];
}

/** What a node may do besides being managed. */
export interface ServerPermissions {
  submission?: boolean;
  streams?: boolean;
  governor?: boolean;
  serviceHost?: boolean;
}

/** Who a client is that is made a chain issuer. */
export interface Appointed {
  callerid: string;
  agents?: readonly string[];
  ou?: string;
  userProperties?: Record<string, string>;
  opaPolicy?: string | null;
  permissions?: ClientPermissions | null;
  pubSubjects?: readonly string[];
  subSubjects?: readonly string[];
}

/** Who a client is. */
export interface Client extends Appointed {
  type: 'client';
}

/** What a client may do. */
export interface ClientPermissions {
  streamsAdmin?: boolean;
  streamsUser?: boolean;
  eventsViewer?: boolean;
  electionUser?: boolean;
  systemUser?: boolean;
  governor?: boolean;
  orgAdmin?: boolean;
  fleetManagement?: boolean;
  signedFleetManagement?: boolean;
  service?: boolean;
  authenticationDelegator?: boolean;
  provisioner?: boolean;
}

export type Claims = Provisioning | Server | Client;

/** All that a token says but its secrets. */
export interface TokenView {
  /** Of a token that was only looked at. */
  algorithm?: string;
  issuer: string | null;
  subject: string | null;
  purpose: string;
  id: string | null;
  issuedAt: string | null;
  notBefore: string | null;
  expiresAt: string | null;
  publicKey: string | null;
  chainSignature: string | null;
  issuerExpiresAt: string | null;
  claims: Omit<Provisioning, 'token' | 'password'> | Server | Client;
}

/** Whom tokens are believed: an organisation's key, parsed once. */
export class IssuerKey {
  private constructor();
  /** Reads a key file: 64 hexadecimal digits of an Ed25519 key, or an Ed25519 or RSA key or certificate in PEM. */
  static read(text: string): IssuerKey;
  /** The 64 digits, where it is an Ed25519 key. */
  readonly hex: string | null;
}

/** Verifies a token of one kind: signature, chain of trust, times, and that its claims can be used. Throws otherwise. */
export function verify(key: IssuerKey, token: string | Secret, options: { kind: Kind; now?: Instant }): VerifiedToken;

/** Reads a token and proves nothing: for showing it to a person. Throws where it is none in form. */
export function inspect(token: string | Secret): UnverifiedToken;

interface Said {
  readonly kind: Kind;
  /** The provisioning secret, in a provisioning token. */
  readonly token: Secret | null;
  /** The password at the broker, in a provisioning token. */
  readonly password: Secret | null;
  /** All that it says but its secrets. */
  toJSON(): TokenView;
}

/** What a token says, in nobody's name: anybody can write this. */
export class UnverifiedToken implements Said {
  private constructor();
  readonly kind: Kind;
  readonly token: Secret | null;
  readonly password: Secret | null;
  toJSON(): TokenView;
}

/** A token that is genuine. Evidence: only `verify` makes one. */
export class VerifiedToken implements Said {
  private constructor();
  readonly kind: Kind;
  readonly token: Secret | null;
  readonly password: Secret | null;
  toJSON(): TokenView;
  /** All that it says under Choria's names, as JSON text with its secrets. */
  toPayload(): Secret;
}

/** When a token expires and whose it is. */
export interface Terms {
  expiresAt: Instant;
  /** 64 hexadecimal digits: required for servers and chain issuers. */
  publicKey?: string;
  /** The system's clock when left out. */
  now?: Instant;
}

/** An Ed25519 key that signs tokens. It shows only its public half. */
export class Issuer {
  private constructor();
  /** Reads a seed file, 64 hexadecimal digits. `name` becomes `iss`. */
  static fromSeed(seed: string | Secret, name?: string): Issuer;
  /** Draws a new key. */
  static generate(): Issuer;
  /** The seed, for a file of the holder's own (mode 0600). */
  seed(): Secret;
  /** What others verify with. */
  readonly publicKey: string;
  /** Signs a token. */
  issue(claims: Claims, terms: Terms): Secret;
  /** Signs a client's token that makes it a chain issuer. It cannot be recalled. */
  appoint(client: Appointed, terms: Terms & { publicKey: string }): Secret;
  /** Takes up an appointment: this key is the one that an organisation appointed. */
  appointed(appointment: VerifiedToken): ChainIssuer;
  /** `[redacted]`. */
  toString(): string;
  /** Without anything secret. */
  toJSON(): { publicKey: string };
}

/** An issuer that an organisation appointed. */
export class ChainIssuer {
  private constructor();
  /** Signs the token of a server or a client. It expires with the appointment at the latest. */
  issue(claims: Server | Client, terms: Terms & { publicKey: string }): Secret;
}

/** A node's certificate request. */
export interface Csr {
  csr?: string;
  publicKey?: string;
  ssldir?: string;
}

/** A node's new Ed25519 key, in hexadecimal digits. */
export interface NodePublicKey {
  publicKey: string;
  directory?: string;
  signature?: string;
}

/** Who asks to be provisioned: what Choria's provisioner gives its helper. */
export class HelperRequest {
  private constructor();
  /** Reads what a provisioner wrote. */
  static parse(text: string): HelperRequest;
  /** The node's name. */
  readonly identity: string;
  /** The provisioning secret of the node's token. */
  readonly token: Secret | null;
  /** What the node says of itself, read. */
  inventory(): unknown;
  /** What a helper reads, with the token's secrets in it. */
  toDocument(): Secret;
  /** All of it but secrets. */
  toJSON(): {
    identity: string;
    csr: Csr | null;
    ed25519Pubkey: NodePublicKey | null;
    inventory: string;
    jwt: TokenView | null;
  };
}

/** A request, as a provisioner puts it together. */
export function helperRequest(members: {
  identity: string;
  /** JSON text. */
  inventory: string;
  csr?: Csr;
  ed25519Pubkey?: NodePublicKey;
  jwt?: VerifiedToken;
}): HelperRequest;

/** What is to become of a node. */
export interface HelperReplyMembers {
  /** Not now: the node is asked again later. */
  defer?: boolean;
  /** The node is told to stop. */
  shutdown?: boolean;
  msg?: string;
  /** The private key of the certificate, in PEM. */
  key?: Secret | string | null;
  certificate?: string;
  ca?: string;
  ssldir?: string;
  serverClaims?: HelperServer | null;
  configuration?: Record<string, string>;
  actionPolicies?: Record<string, string>;
  opaPolicies?: Record<string, string>;
  /** The version of Choria that the node is to be brought to first. */
  upgrade?: string;
}

/** What a helper may say about a node's server token. */
export interface HelperServer {
  /** Seconds since 1970, or, below 1,000,000,000, seconds from now. */
  exp?: number | null;
  collectives?: readonly string[];
  permissions?: ServerPermissions | null;
  ou?: string | null;
  pubSubjects?: readonly string[];
}

/** What is to become of a node: what a helper answers. */
export class HelperReply {
  private constructor();
  /** Reads what a helper wrote. */
  static parse(text: string): HelperReply;
  /** The private key, where the helper made one. */
  readonly key: Secret | null;
  /** The claims of the node's server token, for `issue`. */
  server(identity: string): Server;
  /** When the node's server token is to expire, where the helper says so. */
  expiresAt(options?: { now?: Instant }): string | undefined;
  /** What a provisioner reads, with the private key in it. */
  toDocument(options?: { now?: Instant }): Secret;
  /** All of it but the private key. */
  toJSON(): HelperReplyMembers;
}

/** A reply, as a helper puts it together. */
export function helperReply(members: HelperReplyMembers): HelperReply;
