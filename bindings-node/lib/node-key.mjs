// A node's own key, on the node's side.
import { moment } from './carry.mjs';
import { invalid } from './error.mjs';
import native from './native.mjs';

export const { NodeKey } = native;

const methods = {
  publicJwk() {
    return JSON.parse(this.jwk());
  },

  makeProof({ method, url, token, nonce, now, ...more } = {}) {
    for (const name of Object.keys(more)) throw invalid(name, 'unknown field');
    for (const [name, value] of Object.entries({ method, url })) {
      if (typeof value !== 'string') throw invalid(name, 'expected a text');
    }
    return this.proof(method, url, token, nonce, moment(now));
  },
};
for (const [name, value] of Object.entries(methods)) {
  Object.defineProperty(NodeKey.prototype, name, { value, configurable: true, writable: true });
}
