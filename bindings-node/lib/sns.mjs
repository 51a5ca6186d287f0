import { inspect } from 'node:util';

import { bytesOf, give, moment } from './carry.mjs';
import { invalid, misuse } from './error.mjs';
import native from './native.mjs';

/** Only this module can make evidence, and read it from the native half. */
const VERIFIED = Symbol('verified');
const TELL = Symbol('tell');

/** What every verified message tells. */
class Envelope {
  #told;

  constructor(key, told) {
    if (key !== VERIFIED) throw misuse(`new ${new.target.name}: evidence is made by its verifier only`);
    this.#told = told;
  }

  [TELL]() {
    return this.#told;
  }

  get messageId() {
    return this[TELL]().messageId;
  }

  get timestamp() {
    return this[TELL]().timestamp;
  }

  get topicArn() {
    return this[TELL]().topicArn;
  }

  get signatureVersion() {
    return this[TELL]().signatureVersion;
  }

  toJSON() {
    const { messageId, topicArn, timestamp, signatureVersion } = this[TELL]();
    return { messageId, topicArn, timestamp, signatureVersion };
  }

  /** Without its contents: what was published is the publisher's, and the URL of a confirmation holds a token. */
  [inspect.custom](_, options) {
    return `${this.constructor.name} ${inspect(Envelope.prototype.toJSON.call(this), options)}`;
  }
}

/** Where the native half holds a notification. */
export let heldBy;

/** A message that was published to a topic. Evidence: only a receiver makes one. */
export class Notification extends Envelope {
  #shelf;
  #place;
  #read;

  constructor(key, shelf, place) {
    super(key);
    this.#shelf = shelf;
    this.#place = place;
  }

  static {
    heldBy = (message) => {
      if (typeof message !== 'object' || message === null || !(#shelf in message)) {
        throw invalid('', 'expected a Notification, which only a receiver makes');
      }
      return [message.#shelf, message.#place];
    };
  }

  /** It is read when it is asked for, and once. */
  [TELL]() {
    return (this.#read ??= native.tellNotification(this.#shelf, this.#place));
  }

  get message() {
    return this[TELL]().message;
  }

  get subject() {
    return this[TELL]().subject ?? null;
  }

  toJSON() {
    const { subject, message } = this[TELL]();
    return { ...super.toJSON(), ...(subject === undefined ? {} : { subject }), message };
  }
}

/** SNS asks whether this endpoint wants the topic. Evidence: only a receiver makes one. */
export class Confirmation extends Envelope {
  get url() {
    return this[TELL]().url;
  }
}

/** The endpoint was unsubscribed. Evidence: only a receiver makes one. */
export class Unsubscription extends Envelope {}

/**
 * Verifies deliveries of Amazon SNS. It never opens a connection: it says which certificate it needs. `receive` (the
 * function) drives it with `fetch`.
 */
export class SnsReceiver {
  #native;
  #shelf;

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
    const given = bytesOf(body, 'body');
    const delivery = this.#native.receive(given, pairs(headers), moment(now), trustedClock);
    if (typeof delivery === 'number') return { type: 'notification', notification: this.#take(delivery) };
    const { fetch, confirmation, unsubscription } = delivery;
    if (fetch) return { type: 'need', fetch };
    if (confirmation) return { type: 'confirm', confirmation: new Confirmation(VERIFIED, confirmation) };
    if (unsubscription) return { type: 'unsubscribed', unsubscription: new Unsubscription(VERIFIED, unsubscription) };
    return { type: 'wait' };
  }

  /** Takes the certificate that a `need` asked for: the body of a response with status 200. Then receive again. */
  certificate(url, body, { now, trustedClock = true } = {}) {
    this.#native.certificate(url, bytesOf(body, 'body'), moment(now), trustedClock);
  }

  /**
   * Says why there is no certificate: `unreachable`, `timeout`, `redirect`, `too_large`, or the HTTP status. Always
   * throws what the message is now to be answered with.
   */
  certificateFailed(url, failure, { now, trustedClock = true } = {}) {
    this.#native.certificateFailed(url, failure, moment(now), trustedClock);
  }

  /** Forgets all fetched certificates, so that they are fetched again. */
  forgetCertificates() {
    this.#native.forgetCertificates();
  }

  /** Several notifications share a shelf of the native half; at place 0 a new one begins. */
  #take(place) {
    if (place === 0) this.#shelf = this.#native.shelf();
    return new Notification(VERIFIED, this.#shelf, place);
  }
}

/**
 * Judges a delivery and fetches the certificate where one is needed, as strictly as the receiver asks: no redirects,
 * few bytes, little time. Gives what `receiver.receive` gives, but never `need`.
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
  if (headers === undefined || headers === null) return undefined;
  const entries = typeof headers[Symbol.iterator] === 'function' ? [...headers] : Object.entries(headers);
  const ours = entries.filter(([name, value]) => value !== undefined && /^x-amz-sns-/i.test(name));
  const flat = ours.flatMap(([name, value]) => [value].flat().flatMap((value) => [name, value]));
  if (!flat.every((text) => typeof text === 'string')) throw invalid('headers', 'expected texts');
  return flat.length === 0 ? undefined : flat;
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
