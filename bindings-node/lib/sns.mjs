import { bytesOf, give, moment } from './carry.mjs';
import { invalid } from './error.mjs';
import native from './native.mjs';

/**
 * Verifies deliveries of Amazon SNS. It never opens a connection: it says which certificate it needs. `receive` (the
 * function) drives it with `fetch`.
 */
export class SnsReceiver {
  #native;

  /** @param {import('../types/index.d.ts').SnsPolicy} policy only its topics are required */
  constructor(policy) {
    const { json, secrets } = give(policy);
    this.#native = new native.SnsReceiver(json, secrets);
  }

  /**
   * Judges a delivery: the body exactly as received, and the headers of the request.
   *
   * Throws a `HandfastError`: answer 503 when its `temporary` is true, else 403.
   */
  receive(body, headers, { now, trustedClock = true } = {}) {
    const delivery = this.#native.receive(bytesOf(body, 'body'), pairs(headers), moment(now), trustedClock);
    const { notification, fetch, confirmation, unsubscription } = delivery;
    if (notification) return { type: 'notification', notification };
    if (fetch) return { type: 'need', fetch };
    if (confirmation) return { type: 'confirm', confirmation };
    if (unsubscription) return { type: 'unsubscribed', unsubscription };
    return { type: 'wait' };
  }

  /** Takes the certificate that a `need` asked for: the body of a response with status 200. Then receive again. */
  certificate(url, body, { now, trustedClock = true } = {}) {
    this.#native.certificate(url, bytesOf(body, 'body'), moment(now), trustedClock);
  }

  /**
   * Says why there is no certificate: `unreachable`, `timeout`, `redirect`, `too_large`, or the HTTP status. Always throws
   * what the message is now to be answered with.
   */
  certificateFailed(url, failure, { now, trustedClock = true } = {}) {
    this.#native.certificateFailed(url, failure, moment(now), trustedClock);
  }

  /** Forgets all fetched certificates, so that they are fetched again. */
  forgetCertificates() {
    this.#native.forgetCertificates();
  }
}

/**
 * Judges a delivery and fetches the certificate where one is needed, as strictly as the receiver asks: no redirects, few
 * bytes, little time. Gives what `receiver.receive` gives, but never `need`.
 */
export async function receive(receiver, body, headers, { now, trustedClock, fetch = globalThis.fetch } = {}) {
  const options = { now, trustedClock };
  const first = receiver.receive(body, headers, options);
  if (first.type !== 'need') return first;
  const file = await download(first.fetch, fetch);
  if (file instanceof Uint8Array) receiver.certificate(first.fetch.url, file, options);
  else receiver.certificateFailed(first.fetch.url, file, options);
  return receiver.receive(body, headers, options);
}

/** Verifies one message with one certificate or public key in PEM: to see why a message does not verify. */
export function verifyOnce(message, certificateOrKey, options = {}) {
  const { topic, now, maxAgeSeconds, legacyRsa1024 = false, development = false } = options;
  const members = { topic, now: moment(now), maxAgeSeconds, legacyRsa1024, development };
  return native.verifyOnce(bytesOf(message, 'message'), bytesOf(certificateOrKey, 'certificateOrKey'), members);
}

/** Reads a duration in seconds: whole seconds, or whole numbers of `s`, `m`, `h` or `d`; for example `15m`. */
export function parseDuration(text) {
  return native.parseDuration(text);
}

/** Reads the ARN of an SNS topic, and gives it back. */
export function parseTopicArn(text) {
  return native.parseTopicArn(text);
}

/** The headers that SNS sets, as names and values in turn; all others are not even looked at. */
function pairs(headers) {
  if (headers === undefined || headers === null) return [];
  const entries = typeof headers[Symbol.iterator] === 'function' ? [...headers] : Object.entries(headers);
  const ours = entries.filter(([name, value]) => value !== undefined && /^x-amz-sns-/i.test(name));
  const flat = ours.flatMap(([name, value]) => [value].flat().flatMap((value) => [name, value]));
  if (!flat.every((text) => typeof text === 'string')) throw invalid('headers', 'expected texts');
  return flat;
}

async function download({ url, maxBytes, timeoutSeconds }, fetch) {
  try {
    const signal = AbortSignal.timeout(timeoutSeconds * 1000);
    const response = await fetch(url, { redirect: 'manual', signal });
    if (response.type === 'opaqueredirect' || (response.status >= 300 && response.status < 400)) return 'redirect';
    if (response.status !== 200) return response.status;
    const chunks = [];
    let length = 0;
    for await (const chunk of response.body ?? []) {
      length += chunk.length;
      if (length > maxBytes) return 'too_large';
      chunks.push(chunk);
    }
    return Buffer.concat(chunks);
  } catch (error) {
    return error?.name === 'TimeoutError' ? 'timeout' : 'unreachable';
  }
}
