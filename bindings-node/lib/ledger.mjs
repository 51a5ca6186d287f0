import { inspect } from 'node:util';

import { bodyOf, give, giveAll, moment, take, takeAll } from './carry.mjs';
import native from './native.mjs';
import { nativeOf as registrarOf } from './registrar.mjs';

/** The native half of a ledger, for the modules of this package. */
export let nativeOf;

/** A native ledger that was made otherwise than empty. */
const ADOPTED = Symbol('adopted');

/**
 * A store in memory: fast, with snapshots, lost with the process. Give it to `run` like any other store.
 */
export class Ledger {
  #native;

  /** @param {{ recording?: boolean }} [options] `recording` also keeps every event */
  constructor({ recording = false, [ADOPTED]: adopted } = {}) {
    this.#native = adopted ?? new native.Ledger(recording);
  }

  static {
    nativeOf = (ledger) => ledger.#native;
  }

  /** A ledger as `snapshot` wrote it. */
  static restore(snapshot) {
    return new Ledger({ [ADOPTED]: native.Ledger.restore(snapshot) });
  }

  /**
   * A ledger folded from a history, oldest first: rows of events, or their bodies. The records come out bit for bit;
   * the vault stays empty, because a history holds no secrets.
   */
  static replay(events) {
    return new Ledger({ [ADOPTED]: native.Ledger.replay(Array.from(events, bodyOf)) });
  }

  /** Decides a command on this ledger, commits it, and gives the answer. */
  run(registrar, command, { now, trustedClock = true } = {}) {
    const { json, secrets } = this.#native.run(registrarOf(registrar), give(command), moment(now), trustedClock);
    return take(json, secrets);
  }

  /** Decides several commands on this ledger and commits them together; see `runAll`. */
  runAll(registrar, commands, { now, trustedClock = true } = {}) {
    const { carried, failures } = giveAll(commands);
    return takeAll(this.#native.runAll(registrarOf(registrar), carried, moment(now), trustedClock), failures);
  }

  /** Seals anew what is not sealed under the current key, and says how much that was; see `reseal`. */
  reseal(registrar) {
    return this.#native.reseal(registrarOf(registrar));
  }

  /** What would come of a command, without doing it. */
  explain(registrar, command, { now, trustedClock = true } = {}) {
    return take(this.#native.explain(registrarOf(registrar), give(command), moment(now), trustedClock));
  }

  /** The rows that exist of these keys. */
  read(keys) {
    return this.#native.read(keys);
  }

  /** The keys of records about which something is due by `now`, the most urgent first. */
  due(now, limit = 100) {
    return this.#native.due(moment(now), limit);
  }

  /** When something is due next, or `null`: a host may sleep until then. */
  nextWake() {
    return this.#native.nextWake();
  }

  /** All records, or those of one type, in the order of their keys. */
  records(record) {
    return take(this.#native.records(record));
  }

  /**
   * A page of packages, the latest first; with a `namePrefix`, in the order of names. `after` the `next` of one page gives
   * the next page; it may be shorter than `limit` and not be the last: that is where `next` is `null`.
   */
  packages({ after, limit = 100, ...filter } = {}) {
    return take(this.#native.packages(give(filter).json, after, limit));
  }

  /** A page of a package's nodes, in the order of their ids: also of a package that does not list them. */
  nodes(id, { after, limit = 100 } = {}) {
    return take(this.#native.nodes(id, after, limit));
  }

  /**
   * How the subjects of a scope stand that have changed since `after`, the `next` of an earlier call; from the start,
   * those that are active. So a host keeps an allow-list in step. `restart` says to forget what is on it first.
   */
  subjects(scope, { after, limit = 100 } = {}) {
    return take(this.#native.subjects(scope, after, limit));
  }

  /** The history, oldest first; empty unless the ledger is recording. */
  events() {
    return take(this.#native.events());
  }

  /** The refusals, counted. */
  notices() {
    return take(this.#native.notices());
  }

  /** All records and sealed secrets as text. The history and the notices are logs, and not in it. */
  snapshot() {
    return this.#native.snapshot();
  }

  /** How many records and sealed secrets there are. */
  get size() {
    return this.#native.size;
  }

  [inspect.custom](_, options) {
    return options.stylize(`Ledger(${this.size})`, 'special');
  }
}
