import type { TokenView } from './choria.js';
import type {
  Action,
  Answer,
  Authority,
  Batch,
  Change,
  Changes,
  Effect,
  EventRow,
  Explanation,
  Filter,
  IdentityTrust,
  Instant,
  InstanceEventView,
  InstanceIdentityView,
  InstanceState,
  Key,
  NoticeRow,
  Policy,
  Row,
  ScopeView,
  SignatureVersion,
  SnsPolicy,
  Trust,
  WriteRow,
} from './vocabulary.js';

export type * from './vocabulary.js';
export * as audit from './audit.js';
export * as archive from './archive.js';
export * as choria from './choria.js';
export * as kubernetes from './kubernetes.js';
export * as link from './link.js';
export * as serviceradar from './serviceradar.js';
export * as spire from './spire.js';
export * as template from './template.js';
export * as userdata from './userdata.js';
export * as wireguard from './wireguard.js';
export * as work from './work.js';

/** Text that must not be seen: it prints as `[redacted]`, and is wiped when it is garbage. */
export class Secret {
  /** Takes a text. JavaScript's own copy of it stays where it is. */
  constructor(text: string);
  /** The text itself. Each call is a place where it may leak: hand it to its consumer and to nothing else. */
  expose(): string;
  /** Whether both hold the same text, in constant time for texts of one length. */
  equals(other: Secret): boolean;
  /** `[redacted]`. */
  toString(): string;
  /** `[redacted]`. */
  toJSON(): string;
}

/**
 * A node's private key: it proves who the node is, and never leaves it. The file that `toPem` fills belongs to the node
 * alone (mode 0600).
 */
export class NodeKey {
  private constructor();
  /** Draws a new key from the system's entropy; `ES256` when nothing is said. */
  static generate(algorithm?: 'ES256' | 'EdDSA'): NodeKey;
  /** Reads an unencrypted key in PKCS#8 PEM. */
  static fromPem(pem: string | Secret): NodeKey;
  /** The key in PKCS#8 PEM, as `openssl genpkey` writes it. */
  toPem(): Secret;
  readonly algorithm: 'ES256' | 'EdDSA';
  /** The name of the key that follows from the key alone (RFC 7638). Public. */
  readonly thumbprint: string;
  /** The public half as a JSON Web Key (RFC 7517). */
  publicJwk(): Record<string, string>;
  /** Proves possession of the key for one request (RFC 9449). */
  makeProof(request: {
    /** The HTTP method, in upper case. */
    method: string;
    /** The URL of the request; a query and a fragment are left out. */
    url: string;
    /** What goes with the request: the enrollment token, or the node's credential. */
    token?: string | Secret;
    /** What the host gave last; with it, the node's clock does not matter. */
    nonce?: string;
    /** The system's clock when left out. */
    now?: Instant;
  }): string;
  /** `[redacted]`. */
  toString(): string;
  /** Without anything secret. */
  toJSON(): { algorithm: string; thumbprint: string };
}

/**
 * What handfast throws: bad input, a broken store, a mistaken configuration, a message that does not verify. What the
 * rules do not allow is no error but an answer of type `refused`.
 */
export class HandfastError extends Error {
  private constructor();
  readonly name: 'HandfastError';
  /** The stable code, one of `CODES`. */
  readonly code: string;
  /** Where in the argument, for example `contents[0].name`, when the code is `invalid_input`. */
  readonly path?: string;
  /** Whether the same delivery may be accepted later, for errors about SNS messages: answer 503 then. */
  readonly temporary?: boolean;
  /** How many events of a log were fed before the one that this is about, for errors of an `audit.Chain`. */
  readonly position?: number;
  /** The record that the event is about, where it says so. */
  readonly key?: string;
  /** The record's version, where the event says so. */
  readonly version?: number;
}

/** Every stable code with its explanation. */
export const CODES: Readonly<Record<string, string>>;

/** The tables of the shipped SQLite store, the same for every language. */
export const SQLITE_SCHEMA: string;

/** Brings a file that the first schema made to `SQLITE_SCHEMA`. */
export const SQLITE_UPGRADE: string;

/** What is promised in a scope and what of it is in use: of its row or body, and the number of its activated packages. */
export function scopeView(rowOrBody: { body: string } | string, active: number): ScopeView;

/**
 * An instant as handfast writes it: RFC 3339 in UTC with three decimals and `Z`, so that it sorts as text. The system's
 * clock when left out.
 */
export function timestamp(at?: Instant): string;

/**
 * What a pasted text is. It holds no secret, so that it can be shown and logged. Nothing of it is proven: whoever made the text
 * chose what is said here.
 */
export type Inspected =
  | { type: 'enrollment_token'; package: string; generation: number }
  | { type: 'download_link'; key: string; package: string; number: number; expiresAt: string }
  | { type: 'kubernetes_bootstrap_token'; id: string; secretName: string }
  | { type: 'kubernetes_ca_pin'; pin: string }
  | ({ type: 'choria' } & TokenView)
  | { type: 'service_radar'; kind: 'edge' | 'collector' | 'unsigned' }
  | {
      type: 'jwt';
      purpose: 'node_credential' | 'proof' | 'other';
      algorithm: string;
      typ: string | null;
      key: string | null;
      issuer: string | null;
      subject: string | null;
      issuedAt: string | null;
      notBefore: string | null;
      expiresAt: string | null;
      /** The names of all claims. */
      claims: string[];
    }
  | { type: 'malformed'; like: string; code: string }
  | { type: 'unknown' };

/** Says what a text is that somebody has pasted, without its secret. For diagnosis, and never for a decision. */
export function inspect(text: string | Secret): Inspected;

/** The present. */
export interface Clock {
  /** The instant; the system's clock when left out. On a shared store use the database's clock. */
  now?: Instant;
  /** Whether there is reason to believe it; `true` when left out. With `false`, nothing irreversible fires. */
  trustedClock?: boolean;
}

/**
 * What is asked of a registrar: an action, on whose behalf, and from where.
 *
 * Derive `authority` from the credential that you checked, never from what the caller says. It may be left out where
 * only one is possible: `redeem`, `check_in`, `leave` and a delivery to anybody but an operator (node), `expire`
 * (timer), `observe_instance` (event).
 */
export type Command = (Exclude<Action, Proved> | WithIdentity | ObserveInstance) & {
  /** On whose behalf: `operator:<name>`, `executor:<worker>`, `node`, `timer` or `event`. */
  authority?: Authority;
  /** The address that the request came from, as the host saw it. */
  source?: string;
};

/** What an instance may prove itself with an identity document for: a redemption, or a delivery to an instance. */
export type WithIdentity = Proved & {
  /** Evidence, which only `verifyIdentity` makes; for a delivery, in place of the address. */
  identity?: InstanceIdentity;
};

type Proved = Extract<Action, { type: 'redeem' | 'deliver' }>;

/** Take note of a verified cloud event. */
export interface ObserveInstance {
  type: 'observe_instance';
  /** Evidence, which only `readInstanceEvent` makes. */
  event: InstanceEvent;
}

/** Named 32-byte keys, one of them current. New secrets are made under the current one; old ones still open. */
export interface KeyRing {
  /** The id of the current key. */
  current: string;
  /** The keys, 32 bytes each. */
  keys: Record<string, Uint8Array>;
}

/**
 * Named private keys (P-256 or Ed25519), the texts in PKCS#8 PEM, one of them current. What was signed under the others
 * still verifies.
 */
export interface SigningRing {
  /** The id of the current key. */
  current: string;
  /** The keys. */
  keys: Record<string, NodeKey | Secret | string | Uint8Array>;
}

/** A JWK set (RFC 7517). */
export interface Jwks {
  keys: Record<string, string>[];
}

/**
 * The operator's own rule. It is asked after everything else has allowed a command, and before anything is committed: `true`
 * allows, a text denies and says why, for the audit (a node is not told). It must be quick, and a pure function of its
 * question: a decision may be made several times. With `ruleMode: 'enforce'`, a rule that throws, or gives anything else,
 * lets nothing happen (`rule_failed`); with `warn`, that is reported like a denial.
 */
export type Rule = (question: Question) => true | string;

/** What a rule is asked: everything that the decision rests on, and no secret. */
export interface Question {
  /** The command; every secret in it is `[redacted]`. */
  command: { type: string; [member: string]: unknown };
  /** On whose behalf, as the host authenticated it. */
  authority: Authority;
  /** The address that the request came from, as the host saw it; `null` when the host did not say. */
  source: string | null;
  /** When: RFC 3339 in UTC with three decimals, so that it compares as text. */
  now: string;
  /** Every record that the decision looked at and that exists, by its key, as it is before. */
  records: Record<Key, Record<string, unknown>>;
  /** The facts that would be written, in order, each with the `key` of its record. */
  facts: { type: string; key: Key; [member: string]: unknown }[];
}

/** The configured state machine: a policy and its keys. It holds no record; one serves the whole process. */
export class Registrar {
  /**
   * @param policy every member has a safe default
   * @param keys `peppers` key the digests of tokens, `sealing` seals secrets at rest, `signing` signs the credentials of
   *   nodes that prove a key: keep them apart from the records, or a stolen database is a stolen fleet
   * @param options `rule` is the operator's own rule, listened to as far as the policy's `ruleMode` says
   */
  constructor(
    policy: Policy | undefined,
    keys: { peppers: KeyRing; sealing: KeyRing; signing?: SigningRing },
    options?: { rule?: Rule },
  );
  /** The JWK set that node credentials verify under, for other services; `null` without signing keys. */
  publicJwks(): Jwks | null;
  /** A nonce for a node's next proof, so that it may be given one before it is asked for it. Good for a minute. */
  nonce(options?: Pick<Clock, 'now'>): string;
  /** Starts a session over a command, for a driver of your own. `run` is one. */
  session(command: Command): Session;
  /** Starts a session over several commands, for a driver of your own. `runAll` is one. */
  sessionAll(commands: Iterable<Command>): BatchSession;
  /** The effects that are outstanding for a record: a function of the record alone, so nothing is lost in a crash. */
  outstanding(rowOrBody: { body: string } | string): Effect[];
  /** The keys of the vault's rows that `reveal` needs for an effect; often none. */
  vaultKeys(effect: Effect): Key[];
  /** Opens what an executor needs for an effect, also after a crash; `null` when it needs nothing. */
  reveal(effect: Effect, rows?: readonly Row[]): import('./kubernetes.js').BootstrapSecret | Secret | null;
  /**
   * Seals a row of the vault anew under the current key, and gives its new body; `null` when it is under it already.
   * `reseal` does so with all rows of a store.
   */
  reseal(row: Row): string | null;
  /** A stored body of a record, an event or a notice, for people and APIs. There is no secret in it. */
  view(rowOrBody: { body: string } | string): Record<string, unknown>;
  /** What would come of a command: `keys` were looked at, and `rows` exist of them. `explain` reads them by itself. */
  explain(command: Command, options: Clock & { keys?: readonly Key[]; rows?: readonly Row[] }): Explanation;
}

/** What a session asks its driver to do. */
export type Step =
  /** Read these rows and call `loaded`. */
  | { type: 'load'; keys: Key[] }
  /** Commit this in one transaction and call `committed`. */
  | { type: 'commit'; batch: Batch }
  /** It is over. */
  | { type: 'answer'; answer: Answer };

/** One command on its way through a store. `run` and `runSync` drive it. */
export class Session {
  private constructor();
  /** Goes on until something has to be done outside, and says what. */
  next(options?: Clock): Step;
  /** Gives the rows that were asked for; a key without a row is absent. */
  loaded(rows: readonly Row[]): void;
  /** Says whether the commit is durable (`true`), or a guard did not hold and nothing was changed (`false`). */
  committed(held: boolean): void;
}

/** What a session over several commands asks its driver to do. */
export type BatchStep =
  /** Read these rows and call `loaded`. */
  | { type: 'load'; keys: Key[] }
  /** Commit this in one transaction and call `committed`. */
  | { type: 'commit'; batch: Batch }
  /** It is over. */
  | { type: 'answers'; answers: (Answer | HandfastError)[] };

/** Several commands on their way through a store, in one commit where that works out. `runAll` drives it. */
export class BatchSession {
  private constructor();
  /** Goes on until something has to be done outside, and says what. */
  next(options?: Clock): BatchStep;
  /** Gives the rows that were asked for; a key without a row is absent. */
  loaded(rows: readonly Row[]): void;
  /** Says whether the commit is durable (`true`), or a guard did not hold and nothing was changed (`false`). */
  committed(held: boolean): void;
}

/** A store whose methods are synchronous. */
export interface SyncStore {
  /** The rows that exist of these keys; a sealed secret has the version 1. */
  read(keys: Key[]): Row[];
  /**
   * Does all of a batch in one serialisable transaction and gives `true`, or does nothing and gives `false` when a
   * guard does not hold (a version of 0 means: the row must be absent). Only when it is durable may it give `true`.
   */
  commit(batch: Batch): boolean;
  /** The keys of records whose `wakeAt` has come, the earliest first. */
  due(now?: Instant, limit?: number): Key[];
}

/** A store of your own; its methods may be asynchronous. */
export interface Store {
  read(keys: Key[]): Row[] | Promise<Row[]>;
  commit(batch: Batch): boolean | Promise<boolean>;
  due(now?: Instant, limit?: number): Key[] | Promise<Key[]>;
}

/** A store whose vault `reseal` can go through; its methods may be asynchronous. */
export interface Vault {
  /** Sealed secrets in the order of their keys, from after this one; none at the end. */
  sealed(options: { after?: Key }): Row[] | Promise<Row[]>;
  /** Replaces bodies, each if it is still as it was read, and gives how many that were. */
  reseal(changes: readonly Resealed[]): number | Promise<number>;
}

/** A row of the vault as it was read, and its new body. */
export interface Resealed {
  row: Row;
  sealed: string;
}

/** Refusals of one kind. */
export interface CountedNotice {
  /** How many. */
  count: number;
  /** The first of them. */
  notice: NoticeRow;
}

/** A store in memory: fast, with snapshots, lost with the process. Give it to `run` like any other store. */
export class Ledger {
  /** `recording` also keeps every event. */
  constructor(options?: { recording?: boolean });
  /** A ledger as `snapshot` wrote it. */
  static restore(snapshot: string): Ledger;
  /**
   * A ledger folded from a history, oldest first: rows of events, or their bodies. The records come out bit for bit;
   * the vault stays empty, because a history holds no secrets.
   */
  static replay(events: Iterable<{ body: string } | string>): Ledger;
  /** Decides a command on this ledger, commits it, and gives the answer. */
  run<C extends Command>(registrar: Registrar, command: C, options?: Clock): AnswerTo<C>;
  /** Decides several commands on this ledger and commits them together; see `runAll`. */
  runAll(registrar: Registrar, commands: Iterable<Command>, options?: Clock): (Answer | HandfastError)[];
  /** Seals anew what is not sealed under the current key, and says how much that was; see `reseal`. */
  reseal(registrar: Registrar): number;
  /** What would come of a command, without doing it. */
  explain(registrar: Registrar, command: Command, options?: Clock): Explanation;
  /** The rows that exist of these keys. */
  read(keys: readonly Key[]): Row[];
  /** The keys of records about which something is due by `now`, the most urgent first; at most 100 unless said. */
  due(now?: Instant, limit?: number): Key[];
  /** When something is due next, or `null`: a host may sleep until then. */
  nextWake(): string | null;
  /** All records, or those of one type, in the order of their keys. */
  records(record?: RecordType): WriteRow[];
  /**
   * A page of packages, the latest first; with a `namePrefix`, in the order of names. All that is given must hold; a
   * `label` is a key, or `key=value`. `after` the `next` of one page gives the next page; it may be shorter than `limit`
   * and not be the last: that is where `next` is `null`.
   */
  packages(options?: Filter & { after?: string; limit?: number }): Page;
  /** A page of a package's nodes, in the order of their ids: also of a package that does not list them. */
  nodes(id: string, options?: { after?: string; limit?: number }): Page;
  /**
   * How the subjects of a scope stand that have changed since `after`, the `next` of an earlier call; from the start,
   * those that are active. So a host keeps an allow-list in step.
   */
  subjects(scope: string, options?: { after?: string; limit?: number }): Changes;
  /** The history, oldest first; empty unless the ledger is recording. */
  events(): EventRow[];
  /** The refusals, counted. */
  notices(): CountedNotice[];
  /** All records and sealed secrets as text. The history and the notices are logs, and not in it. */
  snapshot(): string;
  /** How many records and sealed secrets there are. */
  readonly size: number;
}

/** A part of a list. */
export interface Page {
  records: WriteRow[];
  /** For `after`; `null` at the end of the list. */
  next: string | null;
}

/** The types of records. */
export type RecordType = 'scope' | 'pool' | 'package' | 'name' | 'subject' | 'node' | 'instance' | 'forgotten';

/** What may come of a command. */
export type AnswerTo<C extends { type: string }> = Extract<
  Answer,
  { type: AnswerTypes[C['type'] & keyof AnswerTypes] | 'refused' }
>;

interface AnswerTypes {
  issue: 'issued';
  deliver: 'delivered' | 'use_nonce';
  make_link: 'linked';
  reissue: 'reissued';
  redeem: 'redeemed' | 'use_nonce';
  check_in: 'checked_in' | 'use_nonce';
  leave: 'node_ended' | 'use_nonce';
  evict: 'node_ended';
  ban: 'banned';
  revoke: 'revoked';
  configure_scope: 'configured';
  change_pool: 'configured';
  observe_subject: 'subject_observed';
  expire: 'expired';
  forget: 'forgotten';
  report: 'reported';
  observe_instance: 'observed';
}

/**
 * Runs a command through a store and gives its answer; a refusal is an answer. A commit that conflicts with somebody
 * else's is decided again, a few times.
 */
export function run<C extends Command>(
  store: Store | Ledger,
  command: C,
  options: Clock & { registrar: Registrar },
): Promise<AnswerTo<C>>;

/** The same as `run`, for stores whose methods are synchronous. */
export function runSync<C extends Command>(
  store: SyncStore | Ledger,
  command: C,
  options: Clock & { registrar: Registrar },
): AnswerTo<C>;

/**
 * Runs several commands through a store in one commit where that works out: each is decided on what the ones before it
 * have brought about. One waits for the disk once instead of once for each, and commands about the same record do not
 * conflict with each other. Where something keeps them from it, each is taken by itself, in their order, so that none
 * fails for another one's sake.
 *
 * Gives one answer for each, in their order; what is wrong with a command is a `HandfastError` in its place. What the store
 * throws is thrown; then nobody knows what was committed, as with `run`. At most 256 commands.
 */
export function runAll(
  store: Pick<Store, 'read' | 'commit'> | Ledger,
  commands: Iterable<Command>,
  options: Clock & { registrar: Registrar },
): Promise<(Answer | HandfastError)[]>;

/**
 * Seals every secret of a store's vault anew that is not under the current sealing key, and gives how many that were. So a
 * sealing key is rotated: make a new one current at every host and keep the old one in the ring, call this, then take the
 * old one away. May run while others work on the store, and again after a crash.
 */
export function reseal(store: Vault | Ledger, options: { registrar: Registrar }): Promise<number>;

/** Says what would come of a command, without doing it ("why would this be refused at 14:05?"). */
export function explain(
  store: Store | Ledger,
  command: Command,
  options: Clock & { registrar: Registrar },
): Promise<Explanation>;

/** Reads what an executor needs for an effect from the vault, and opens it; `null` when the effect needs nothing. */
export function reveal(
  store: Pick<Store, 'read'> | Ledger,
  effect: Effect,
  options: { registrar: Registrar },
): Promise<import('./kubernetes.js').BootstrapSecret | Secret | null>;

/** What every verified message tells. */
interface Envelope {
  /** The id that SNS gave. With the topic, the key under which a host remembers what it has handled. */
  readonly messageId: string;
  /** When SNS took the message. */
  readonly timestamp: string;
  /** The topic, which is on the receiver's list. */
  readonly topicArn: string;
  /** How the message was signed. */
  readonly signatureVersion: SignatureVersion;
  /** For logs. */
  toJSON(): Record<string, string>;
}

/**
 * A message that was published to a topic. Evidence: only a receiver makes one. It proves that SNS delivered it from
 * this topic, and nothing about who published it.
 */
export class Notification implements Envelope {
  private constructor();
  readonly messageId: string;
  readonly timestamp: string;
  readonly topicArn: string;
  readonly signatureVersion: SignatureVersion;
  /** The published text. */
  readonly message: string;
  /** The published subject, or `null`; an empty one is not none. */
  readonly subject: string | null;
  toJSON(): Record<string, string>;
}

/** SNS asks whether this endpoint wants the topic. Evidence: only a receiver makes one. */
export class Confirmation implements Envelope {
  private constructor();
  readonly messageId: string;
  readonly timestamp: string;
  readonly topicArn: string;
  readonly signatureVersion: SignatureVersion;
  /**
   * What to GET, once, to confirm: rebuilt from topic and token, never the URL that was sent. It contains the token,
   * so it belongs in no log.
   */
  readonly url: string;
  toJSON(): Record<string, string>;
}

/** The endpoint was unsubscribed. Evidence: only a receiver makes one. */
export class Unsubscription implements Envelope {
  private constructor();
  readonly messageId: string;
  readonly timestamp: string;
  readonly topicArn: string;
  readonly signatureVersion: SignatureVersion;
  toJSON(): Record<string, string>;
}

/** A certificate to be fetched by TLS with verified names, without following redirects. */
export interface CertificateFetch {
  /** Its URL, on the SNS host of the topic's region. */
  url: string;
  /** Bytes after which to give up with `too_large`. */
  maxBytes: number;
  /** Seconds after which to give up with `timeout`. */
  timeoutSeconds: number;
  /** Always true: a redirect is the failure `redirect`. */
  noRedirects: boolean;
}

/** What came of a delivery. */
export type Received =
  | { type: 'notification'; notification: Notification }
  /** Confirm the subscription by a GET of its URL. */
  | { type: 'confirm'; confirmation: Confirmation }
  | { type: 'unsubscribed'; unsubscription: Unsubscription }
  /** A certificate of this region is being fetched: answer 503, and SNS delivers again. */
  | { type: 'wait' };

/** Fetch this certificate, hand it in, and receive the same body again. */
export interface CertificateNeeded {
  type: 'need';
  fetch: CertificateFetch;
}

/** The headers of a request: as `http` gives them, a `Headers`, or pairs. */
export type RequestHeaders =
  | Record<string, string | readonly string[] | undefined>
  | Iterable<readonly [string, string]>;

/**
 * Verifies deliveries of Amazon SNS. It never opens a connection: it says which certificate it needs, and `receive`
 * (the function) gets it.
 */
export class SnsReceiver {
  /** @param policy only its topics are required */
  constructor(policy: SnsPolicy);
  /**
   * Judges a delivery: the body exactly as received, and the headers of the request. Throws a `HandfastError`: answer
   * 503 when its `temporary` is true, else 403.
   */
  receive(body: Uint8Array | string, headers?: RequestHeaders, options?: Clock): Received | CertificateNeeded;
  /** Takes the certificate that a `need` asked for: the body of a response with status 200. Then receive again. */
  certificate(url: string, body: Uint8Array | string, options?: Clock): void;
  /**
   * Says why there is no certificate; a number is an HTTP status. Always throws what the message is to be answered
   * with.
   */
  certificateFailed(
    url: string,
    failure: 'unreachable' | 'timeout' | 'redirect' | 'too_large' | number,
    options?: Clock,
  ): void;
  /** Forgets all fetched certificates, so that they are fetched again. */
  forgetCertificates(): void;
}

/**
 * Judges a delivery and fetches the certificate where one is needed, as strictly as the receiver asks: no redirects,
 * few bytes, little time.
 */
export function receive(
  receiver: SnsReceiver,
  body: Uint8Array | string,
  headers?: RequestHeaders,
  options?: Clock & { fetch?: typeof globalThis.fetch },
): Promise<Received>;

/**
 * Verifies one message with one certificate or public key in PEM: to see why a message does not verify. Endpoints use
 * `SnsReceiver`. `line` is the verdict as one line of JSON, the same bytes in every language; `exitStatus` is 0 when
 * it is verified, else 1.
 */
export function verifyOnce(
  message: Uint8Array | string,
  certificateOrKey: Uint8Array | string,
  options: {
    /** The one topic that is expected. */
    topic: string;
    /** The present; the system's clock when left out. */
    now?: Instant;
    /** Seconds that the message may be old; 3600 when left out. */
    maxAgeSeconds?: number;
    /** Accept the 1024-bit certificates that SNS had until 2013. */
    legacyRsa1024?: boolean;
    /** Accept an emulator's certificate and certificate URL. */
    development?: boolean;
  },
): { line: string; exitStatus: 0 | 1 };

/**
 * Reads a duration in seconds: whole seconds, or whole numbers of `s`, `m`, `h` or `d`; for example `90s`, `15m`,
 * `7d`.
 */
export function parseDuration(text: string): number;

/** Reads the ARN of an SNS topic, and gives it back. */
export function parseTopicArn(text: string): string;

/**
 * One authentic event about one EC2 instance. Evidence: only `readInstanceEvent` makes one.
 *
 * It proves that whoever may publish to the topic said so, not that EC2 did: restrict the topic's policy, and let the
 * registrar confirm it with `DescribeInstances`.
 */
export class InstanceEvent {
  private constructor();
  /** The instance. */
  readonly instance: string;
  /** The account that owns it. */
  readonly account: string;
  /** The region that it is in. */
  readonly region: string;
  /** What happened. */
  readonly change: Change;
  /** The EC2 state that holds if this is true, or `null` where none follows. */
  readonly impliedState: InstanceState | null;
  /** When it happened, by the sender's clock. */
  readonly occurredAt: string;
  /** When SNS accepted the message, signed by SNS. */
  readonly publishedAt: string;
  /** Names the event across repeated deliveries. */
  readonly eventId: string;
  /** The SNS message id. */
  readonly messageId: string;
  /** The topic that the message came through. */
  readonly topic: string;
  /** All of it, for logs. A plain object is no evidence: no command takes it. */
  toJSON(): InstanceEventView;
}

/**
 * Reads what a verified notification says, as far as its topic is trusted: an event about one instance, or the reason
 * why it concerns none. Throws for a topic, account or region that is not trusted, a forged source, and a malformed
 * event.
 */
export function readInstanceEvent(
  notification: Notification,
  trust: readonly Trust[],
): { type: 'instance'; event: InstanceEvent } | { type: 'not_for_us'; reason: string };

/**
 * One EC2 instance, as AWS itself describes it. Evidence: only `verifyIdentity` makes one. A `redeem`, or a `deliver` to an
 * instance, takes it as its member `identity`.
 *
 * It proves that AWS wrote the document for this instance, not that the instance sent it: every process on the instance
 * can read it, and whoever was sent it once can send it on. Accept it once for each start of an instance.
 */
export class InstanceIdentity {
  private constructor();
  /** The instance. EC2 never uses an id again. */
  readonly instance: string;
  /** The account that it is in. */
  readonly account: string;
  /** The region that it is in. */
  readonly region: string;
  /** When it was last started. */
  readonly pendingAt: string;
  /** The private address of its first network interface, or `null`. */
  readonly privateIp: string | null;
  /** The availability zone, or `null`. */
  readonly availabilityZone: string | null;
  /** The id of its machine image, or `null`. */
  readonly image: string | null;
  /** Its type, for example `t3.micro`, or `null`. */
  readonly instanceType: string | null;
  /** Its architecture, for example `arm64`, or `null`. */
  readonly architecture: string | null;
  /** The version of the document's format, or `null`. */
  readonly version: string | null;
  /** All of it, for logs. A plain object is no evidence. */
  toJSON(): InstanceIdentityView;
}

/** What a node sends to prove which instance it runs on, exactly as the metadata service gave it. */
export type IdentityProof =
  | {
      /** The text of `rsa2048`, with or without line breaks. */
      pkcs7: string | Uint8Array;
      /** The text of `document`, where the signature does not hold it. */
      document?: string | Uint8Array;
    }
  | {
      /** The text of `document`, byte for byte. */
      document: string | Uint8Array;
      /** The text of `signature`. Its keys have 1024 bits: the trust must allow that. */
      signature: string | Uint8Array;
    };

/**
 * Verifies an EC2 instance identity document. Throws for a signature that is not AWS's, a region or account that is not
 * trusted, and an instance that was started too long ago.
 */
export function verifyIdentity(proof: IdentityProof, trust: IdentityTrust, options?: Clock): InstanceIdentity;
