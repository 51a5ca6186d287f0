import { bytesOf, give, moment } from './carry.mjs';
import { invalid } from './error.mjs';
import native from './native.mjs';
import { heldBy } from './sns.mjs';

/**
 * Reads what a verified notification says, as far as its topic is trusted: an event about one instance, or the reason
 * why it concerns none. Throws for a topic, account or region that is not trusted, a forged source, and a malformed
 * event.
 */
export function readInstanceEvent(notification, trust) {
  const { event, notForUs } = native.readInstanceEvent(...heldBy(notification), give(trust).json);
  return event ? { type: 'instance', event } : { type: 'not_for_us', reason: notForUs };
}

/**
 * Verifies an EC2 instance identity document, as the instance's metadata service gave it. Throws for a signature that is
 * not AWS's, a region or account that is not trusted, and an instance that was started too long ago.
 */
export function verifyIdentity(proof, trust, { now, trustedClock = true } = {}) {
  const { pkcs7, document, signature, ...others } = proof ?? {};
  const [unknown] = Object.keys(others);
  if (unknown !== undefined) throw invalid(unknown, 'unknown field');
  if ((pkcs7 === undefined) === (signature === undefined)) {
    throw invalid('', 'expected `pkcs7`, or `document` and `signature`');
  }
  const given = pkcs7 === undefined ? bytesOf(signature, 'signature') : bytesOf(pkcs7, 'pkcs7');
  const beside = pkcs7 === undefined || document !== undefined ? bytesOf(document, 'document') : undefined;
  const { json } = give(trust);
  return native.verifyIdentity(given, pkcs7 === undefined, beside, json, moment(now), trustedClock);
}
