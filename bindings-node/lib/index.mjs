// handfast enrols machines: it turns a computer that nobody knows yet into a node that holds its credentials.
import { bodyOf, moment, take } from './carry.mjs';
import native from './native.mjs';
import './redact.mjs';

export * as audit from './audit.mjs';
export { readInstanceEvent, verifyIdentity } from './aws.mjs';
export * as archive from './archive.mjs';
export * as choria from './choria.mjs';
export { HandfastError } from './error.mjs';
export * as kubernetes from './kubernetes.mjs';
export { Ledger } from './ledger.mjs';
export * as link from './link.mjs';
export { NodeKey } from './node-key.mjs';
export { BatchSession, Registrar, Session } from './registrar.mjs';
export { explain, reseal, reveal, run, runAll, runSync } from './run.mjs';
export * as serviceradar from './serviceradar.mjs';
export * as spire from './spire.mjs';
export * as template from './template.mjs';
export * as userdata from './userdata.mjs';
export * as wireguard from './wireguard.mjs';
export * as work from './work.mjs';
export {
  Confirmation,
  Notification,
  SnsReceiver,
  Unsubscription,
  parseDuration,
  parseTopicArn,
  receive,
  verifyOnce,
} from './sns.mjs';
export const { InstanceEvent, InstanceIdentity, Secret } = native;

/** Every stable code with its explanation. */
export const CODES = Object.freeze(native.codes());

/** The tables of the shipped SQLite store, the same for every language. */
export const SQLITE_SCHEMA = native.sqliteSchema();

/** Brings a file that the first schema made to `SQLITE_SCHEMA`. */
export const SQLITE_UPGRADE = native.sqliteUpgrade();

/** Says what a text is that somebody has pasted, without its secret. Nothing is verified. */
export function inspect(text) {
  return take(native.inspect(text));
}

/** What is promised in a scope and what of it is in use: of its row or body, and the number of its activated packages. */
export function scopeView(rowOrBody, active) {
  return take(native.scopeView(bodyOf(rowOrBody), active));
}

/** An instant as handfast writes it: RFC 3339 in UTC with three decimals and `Z`, so that it sorts as text. */
export function timestamp(at) {
  return native.timestamp(moment(at, 'at'));
}
