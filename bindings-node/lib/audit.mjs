// What can be shown afterwards: that the log is whole, and what it adds up to. Works on the stored events alone.
import { inspect } from 'node:util';

import { bodyOf, take } from './carry.mjs';
import { invalid, misuse } from './error.mjs';
import native from './native.mjs';

/** Checks that a log is what was written: feed it the events in the order of the log. */
export class Chain {
  #native;

  /**
   * @param {{ checkpoints?: object[], expect?: object[] }} [heads] `checkpoints` are where the log goes on after older
   *   facts were forgotten; through those that it is to `expect`, because they were published, it must lead
   */
  constructor({ checkpoints = [], expect = [] } = {}) {
    this.#native = new native.Chain(headsOf(checkpoints, 'checkpoints'), headsOf(expect, 'expect'));
  }

  /** Takes the next event. Throws where the log is not whole, and can go on from there. */
  feed(rowOrBody) {
    this.#native.feed(bodyOf(rowOrBody));
  }

  /** Which of the expected heads the log has contradicted or never reached; empty when it led through all of them. */
  finish() {
    return take(this.#native.finish());
  }

  /** Where the chains end now: the checkpoints for what comes later, and what `root` is computed over. */
  heads() {
    return this.#native.heads();
  }

  /** How many events were fed. */
  get fed() {
    return this.#native.fed;
  }

  /** How many of them stand unlinked behind another, as those of schema 1 do: they can be altered without a trace. */
  get unlinked() {
    return this.#native.unlinked;
  }

  [inspect.custom](_, options) {
    return options.stylize(`Chain(${this.fed})`, 'special');
  }
}

/** The head that a record has with this event as its last one. */
export function head(rowOrBody) {
  return native.head(bodyOf(rowOrBody));
}

/** One line about any number of heads, to be published where whoever keeps the log cannot write. */
export function root(heads) {
  return native.root(headsOf(heads, 'heads'));
}

/** An event as a CloudEvent 1.0. Its `data` is the body as it is stored, the same in every language. */
export function cloudEvent(rowOrBody, { source } = {}) {
  return JSON.parse(native.cloudEvent(bodyOf(rowOrBody), sourceOf(source)));
}

/** A refusal, the row of a notice, as a CloudEvent 1.0. */
export function cloudEventOfNotice(notice, { source } = {}) {
  if (typeof notice?.coalesce !== 'string') throw invalid('coalesce', 'expected the row of a notice');
  return JSON.parse(native.cloudEventOfNotice(notice.coalesce, bodyOf(notice), sourceOf(source)));
}

/** Packages by scope and month, and how long they took to be in use. Give it each event once, in any order. */
export class Tally {
  #native;

  /** @param {string} [text] what `toText` gave */
  constructor(text) {
    this.#native = new native.Tally(text);
  }

  /** All that it holds, to be stored. */
  toText() {
    return this.#native.write();
  }

  /** Takes in an event, of whatever record. */
  add(rowOrBody) {
    this.#native.add(bodyOf(rowOrBody));
  }

  /** Takes in what another tally has of another part of the log. */
  merge(other) {
    if (!(other instanceof Tally)) throw misuse('a Tally merges with a Tally');
    this.#native.merge(other.toText());
  }

  /** The counts, in the order of scope and month. */
  rows() {
    return take(this.#native.rows());
  }
}

function headsOf(heads, argument) {
  const isHead = ({ key, version, digest }) =>
    typeof key === 'string' && Number.isSafeInteger(version) && typeof digest === 'string';
  if (!Array.isArray(heads) || !heads.every((one) => one !== null && typeof one === 'object' && isHead(one))) {
    throw invalid(argument, 'expected an array of { key, version, digest }');
  }
  return heads.map(({ key, version, digest }) => ({ key, version, digest }));
}

function sourceOf(source) {
  if (typeof source !== 'string') throw invalid('source', 'expected a URI reference');
  return source;
}
