import { inspect } from 'node:util';

import { bodyOf, give, giveAll, moment, rowsOf, take, takeAll } from './carry.mjs';
import { invalid, misuse } from './error.mjs';
import native from './native.mjs';

/** The native half of a registrar, for the modules of this package. */
export let nativeOf;

/**
 * The configured state machine: a policy and its keys. It holds no record and changes nothing; one serves the whole
 * process.
 */
export class Registrar {
  #native;

  /**
   * @param {import('../types/index.d.ts').Policy} policy every member has a safe default
   * @param {{ peppers: object, sealing: object, signing?: object }} keys `peppers` key the digests of tokens, `sealing`
   *   seals secrets at rest, `signing` signs the credentials of nodes that prove a key: keep them apart from the
   *   records, or a stolen database is a stolen fleet
   * @param {{ rule?: (question: object) => true | string }} [options] `rule` is the operator's own rule, asked after
   *   everything else has allowed a command, as far as the policy's `ruleMode` says: it gives `true`, or a text that says
   *   why not. A pure function of its question; when it throws or gives anything else, nothing happens
   */
  constructor(policy, { peppers, sealing, signing } = {}, { rule } = {}) {
    const { json, secrets } = give(policy ?? {});
    const rings = [ring(peppers, 'peppers'), ring(sealing, 'sealing'), signingRing(signing)];
    this.#native = new native.Registrar(json, secrets, ...rings, judgeOf(rule));
  }

  static {
    nativeOf = (registrar) => {
      if (registrar === null || typeof registrar !== 'object' || !(#native in registrar)) {
        throw misuse('a Registrar is needed: `{ registrar }`');
      }
      return registrar.#native;
    };
  }

  /** The JWK set that node credentials verify under, for other services; `null` without signing keys. */
  publicJwks() {
    const text = this.#native.publicJwks();
    return text === null ? null : JSON.parse(text);
  }

  /** A nonce for a node's next proof, so that it may be given one before it is asked for it. Good for a minute. */
  nonce({ now } = {}) {
    return this.#native.nonce(moment(now));
  }

  /** Starts a session over a command, for a driver of your own. `run` is one. */
  session(command) {
    return new Session(this.#native.session(give(command)));
  }

  /** Starts a session over several commands, for a driver of your own. `runAll` is one. */
  sessionAll(commands) {
    const { carried, failures } = giveAll(commands);
    return new BatchSession(this.#native.sessionAll(carried), failures);
  }

  /** The effects that are outstanding for a record (a row of a store, or its body): a function of the record alone. */
  outstanding(rowOrBody) {
    return take(this.#native.outstanding(bodyOf(rowOrBody)));
  }

  /** The keys of the vault's rows that `reveal` needs for an effect; often none. */
  vaultKeys(effect) {
    return this.#native.vaultKeys(give(effect).json);
  }

  /** Opens what an executor needs for an effect, also after a crash; `null` when it needs nothing. */
  reveal(effect, rows = []) {
    return this.#native.reveal(give(effect).json, rowsOf(rows));
  }

  /**
   * Seals a row of the vault anew under the current key, and gives its new body; `null` when it is under it already.
   * `reseal` does so with all rows of a store.
   */
  reseal(row) {
    const [read] = rowsOf([row]);
    return this.#native.reseal(read);
  }

  /** A stored body of a record, an event or a notice, as an object for people and APIs. There is no secret in it. */
  view(rowOrBody) {
    return take(this.#native.view(bodyOf(rowOrBody)));
  }

  /** What would come of a command: `keys` were looked at, and `rows` exist of them. `explain` reads them by itself. */
  explain(command, { keys = [], rows = [], now, trustedClock = true } = {}) {
    return take(this.#native.explain(give(command), keys, rowsOf(rows), moment(now), trustedClock));
  }

  [inspect.custom](_, options) {
    return options.stylize('Registrar {}', 'special');
  }
}

/**
 * One command on its way through a store. `run` and `runSync` drive it; write a driver of your own for a store that
 * neither fits.
 */
export class Session {
  #native;

  constructor(session) {
    if (!(session instanceof native.Session)) throw misuse('registrar.session(command) starts a session');
    this.#native = session;
  }

  /**
   * Goes on until something has to be done outside, and says what: `load` these keys and call `loaded`, `commit` this
   * batch in one transaction and call `committed`, or take the `answer`.
   */
  next({ now, trustedClock = true } = {}) {
    const { load, commit, answer } = this.#native.next(moment(now), trustedClock);
    if (load) return { type: 'load', keys: load };
    if (commit) return { type: 'commit', batch: take(commit) };
    return { type: 'answer', answer: take(answer.json, answer.secrets) };
  }

  /** Gives the rows that were asked for; a key without a row is absent. */
  loaded(rows) {
    this.#native.loaded(rowsOf(rows));
  }

  /** Says whether the commit is durable (`true`), or a guard did not hold and nothing was changed (`false`). */
  committed(held) {
    if (typeof held !== 'boolean') throw misuse('commit() of a store gives true or false');
    this.#native.committed(held);
  }
}

/** Several commands on their way through a store, in one commit where that works out. `runAll` drives it. */
export class BatchSession {
  #native;
  #failures;

  constructor(session, failures) {
    if (!(session instanceof native.BatchSession)) throw misuse('registrar.sessionAll(commands) starts a session');
    this.#native = session;
    this.#failures = failures;
  }

  /** Goes on until something has to be done outside, and says what: `load`, `commit`, or take the `answers`. */
  next({ now, trustedClock = true } = {}) {
    const { load, commit, answers } = this.#native.next(moment(now), trustedClock);
    if (load) return { type: 'load', keys: load };
    if (commit) return { type: 'commit', batch: take(commit) };
    return { type: 'answers', answers: takeAll(answers, this.#failures) };
  }

  /** Gives the rows that were asked for; a key without a row is absent. */
  loaded(rows) {
    this.#native.loaded(rowsOf(rows));
  }

  /** Says whether the commit is durable (`true`), or a guard did not hold and nothing was changed (`false`). */
  committed(held) {
    if (typeof held !== 'boolean') throw misuse('commit() of a store gives true or false');
    this.#native.committed(held);
  }
}

/** What the native half asks a rule with: JSON in, JSON out, and nothing is thrown. */
function judgeOf(rule) {
  if (rule === undefined) return undefined;
  if (typeof rule !== 'function') throw invalid('rule', 'expected a function');
  return (question) => JSON.stringify(said(rule, question));
}

function said(rule, question) {
  try {
    const verdict = rule(take(question));
    if (verdict === true) return 'allow';
    if (typeof verdict === 'string') return { deny: verdict };
    const given = verdict instanceof Promise ? 'a Promise' : `a value of type ${typeof verdict}`;
    return { failed: `expected true, or a text that says why not; it gave ${given}` };
  } catch (error) {
    return { failed: String(error) };
  }
}

/** A key ring as the native half takes it: keys are bytes and never pass through JSON. */
export function ring(given, argument) {
  const { current, keys } = given ?? {};
  const entries = Object.entries(keys ?? {});
  if (typeof current !== 'string' || !entries.every(([, key]) => key instanceof Uint8Array)) {
    throw invalid(argument, "expected { current: '<id>', keys: { '<id>': <Uint8Array of 32 bytes> } }");
  }
  return { current, ids: entries.map(([id]) => id), keys: entries.map(([, key]) => key) };
}

/** Private keys in PEM; they cross as secrets. */
function signingRing(given) {
  if (given === undefined) return undefined;
  const { current, keys } = given ?? {};
  const entries = Object.entries(keys ?? {});
  const pems = entries.map(([, key]) => pemOf(key));
  if (typeof current !== 'string' || pems.includes(null)) {
    throw invalid(
      'signing',
      "expected { current: '<id>', keys: { '<id>': <a NodeKey, or a private key in PKCS#8 PEM> } }",
    );
  }
  return { current, ids: entries.map(([id]) => id), keys: pems };
}

function pemOf(key) {
  if (key instanceof native.NodeKey) return key.toPem();
  if (key instanceof native.Secret) return key;
  if (typeof key === 'string') return new native.Secret(key);
  return key instanceof Uint8Array ? new native.Secret(Buffer.from(key).toString()) : null;
}
