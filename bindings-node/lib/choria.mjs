// Choria's tokens, and the conversation with its provisioner's helper.
import { give, moment, take } from './carry.mjs';
import { invalid } from './error.mjs';
import native from './native.mjs';

export const { ChainIssuer, HelperReply, HelperRequest, Issuer, IssuerKey, UnverifiedToken, VerifiedToken } = native;

/** Verifies a token of one kind: signature, chain of trust, times, and that its claims can be used. */
export function verify(key, token, { kind, now } = {}) {
  return native.verifyChoria(key, token, textOf(kind, 'kind'), moment(now));
}

/** Reads a token and proves nothing: for showing it to a person. */
export function inspect(token) {
  return native.inspectChoria(token);
}

/** A request, as a provisioner puts it together. */
export function helperRequest({ identity, inventory, csr, ed25519Pubkey, jwt } = {}) {
  const json = (value) => (value === undefined ? undefined : give(value).json);
  const texts = [textOf(identity, 'identity'), textOf(inventory, 'inventory')];
  return HelperRequest.build(...texts, json(csr), json(ed25519Pubkey), jwt);
}

/** A reply, as a helper puts it together. */
export function helperReply(members) {
  const { json, secrets } = give(members);
  return HelperReply.build(json, secrets);
}

function issue(claims, { expiresAt, publicKey, now } = {}) {
  const { json, secrets } = give(claims);
  return this.sign(json, secrets, termsOf(expiresAt, publicKey, now));
}

function appoint(client, { expiresAt, publicKey, now } = {}) {
  const { json, secrets } = give(client);
  return this.signAppointment(json, secrets, termsOf(expiresAt, publicKey, now));
}

function termsOf(expiresAt, publicKey, now) {
  if (expiresAt === undefined) throw invalid('expiresAt', 'is required');
  return { now: moment(now), expiresAt: moment(expiresAt, 'expiresAt'), publicKey };
}

const methods = new Map([
  [Issuer, { issue, appoint }],
  [ChainIssuer, { issue }],
  [
    HelperRequest,
    {
      inventory() {
        return JSON.parse(this.inventoryText());
      },
    },
  ],
  [
    HelperReply,
    {
      toDocument({ now } = {}) {
        return this.document(moment(now));
      },
      server(identity) {
        return take(this.serverClaims(identity));
      },
      expiresAt({ now } = {}) {
        return this.expiry(moment(now)) ?? undefined;
      },
    },
  ],
]);
for (const [{ prototype }, own] of methods) {
  for (const [name, value] of Object.entries(own)) {
    Object.defineProperty(prototype, name, { value, configurable: true, writable: true });
  }
}

function textOf(value, name) {
  if (typeof value !== 'string') throw invalid(name, 'expected a text');
  return value;
}
