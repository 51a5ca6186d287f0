import { give } from './carry.mjs';
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
