// Files that need secrets, written when all of them are there, and the commands that take notice of them.
import { inspect } from 'node:util';

import { moment } from './carry.mjs';
import { invalid } from './error.mjs';
import native from './native.mjs';
import './redact.mjs';

/** The native half of a template. */
let nativeOf;

/** A template file, read and checked. Its text stays inside. */
export class Template {
  #native;

  /** @param {string} file the text of the file */
  constructor(file) {
    this.#native = new native.Template(file);
  }

  get mode() {
    return this.#native.mode;
  }

  get dest() {
    return this.#native.dest;
  }

  get command() {
    return this.#native.command;
  }

  get needs() {
    return this.#native.needs;
  }

  /** Renders with one value for each need, in their order. */
  render(values) {
    return this.#native.render([...values].map((value) => secretOf(value, 'values')));
  }

  toJSON() {
    const { mode, dest, command, needs } = this;
    return { mode, dest, command, needs };
  }

  [inspect.custom](_, options) {
    return `Template ${inspect(this.toJSON(), options)}`;
  }

  static {
    nativeOf = (template) => {
      if (typeof template === 'object' && template !== null && #native in template) return template.#native;
      throw invalid('template', 'expected a Template');
    };
  }
}

/** One template on its way: which secrets to ask for and when, what to write and what to run. */
export class Emissary {
  #native;

  constructor(template, { now, firstSeconds, maxSeconds, refreshSeconds } = {}) {
    const pace = { firstSeconds, maxSeconds, refreshSeconds };
    this.#native = new native.Emissary(nativeOf(template), pace, moment(now));
  }

  /** What to do now; its `type` says which. */
  step({ now } = {}) {
    return this.#native.step(moment(now));
  }

  /** Takes a secret that a provider has answered with. */
  supply({ provider, id }, value, { now } = {}) {
    this.#native.supply(provider, id, secretOf(value, 'value'), moment(now));
  }

  /** Takes the reason why there is none: `missing`, `unavailable` or `refused`. */
  supplyFailed({ provider, id }, failure, { now } = {}) {
    this.#native.supplyFailed(provider, id, failure, moment(now));
  }

  /** Takes whether the file was written, or whether the command ended well. What failed is asked for again, later. */
  report(done, { now } = {}) {
    this.#native.report(done, moment(now));
  }

  get nextPoll() {
    return this.#native.nextPoll ?? null;
  }

  get settled() {
    return this.#native.settled;
  }

  get waitsFor() {
    return this.#native.waitsFor;
  }

  [inspect.custom](_, options) {
    return options.stylize(`Emissary of ${this.#native.dest}`, 'special');
  }
}

/** Splits a command line into words, strictly and without expanding anything. */
export function splitCommand(line) {
  return native.splitCommand(line);
}

function secretOf(value, argument) {
  if (value instanceof native.Secret) return value;
  if (typeof value === 'string') return new native.Secret(value);
  throw invalid(argument, 'expected a string or a Secret');
}
