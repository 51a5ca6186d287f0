// Download links, before the database is asked: what is forged or has expired is turned away at once.
import { inspect } from 'node:util';

import { moment } from './carry.mjs';
import { invalid } from './error.mjs';
import native from './native.mjs';
import { ring } from './registrar.mjs';

export const { VerifiedLink } = native;

/** Verifies links under a key ring, the registrar's `peppers`. That a link works only once is the registrar's to say. */
export class Links {
  #native;

  /** @param {{ current: string, keys: Record<string, Uint8Array> }} keys the registrar's `peppers` */
  constructor(keys) {
    this.#native = new native.Links(ring(keys, 'keys'));
  }

  /** Gives what an authentic link says that has not expired, and throws for every other. */
  verify(link, { now } = {}) {
    if (typeof link !== 'string' && !(link instanceof native.Secret)) {
      throw invalid('link', 'expected a string or a Secret');
    }
    return this.#native.verify(link, moment(now));
  }

  [inspect.custom](_, options) {
    return options.stylize('Links {}', 'special');
  }
}
