// SPIFFE and SPIRE: what a server is asked for, what its answers mean, and whom a trust domain trusts.
import { give, moment } from './carry.mjs';
import native from './native.mjs';

/** The authorities of one trust domain. */
export const { SpireBundle: Bundle, JoinTokenRequest, AliasEntry } = native;

/** Reads certificates in PEM. */
export function bundleFromPem(text, { trustDomain }) {
  return Bundle.fromPem(text, trustDomain);
}

/** Reads the JSON of the standard. */
export function bundleFromJson(text, { trustDomain }) {
  return Bundle.fromJson(text, trustDomain);
}

/** Reads what `GetBundle` answers, without authorities that are tainted or over. */
export function bundleFromReply(reply, { trustDomain, now }) {
  return Bundle.fromReply(give(reply).json, trustDomain, moment(now));
}

/** What `CreateJoinToken` takes. */
export function joinTokenRequest(token, { expiresAt, now, agentId }) {
  return new JoinTokenRequest(token, moment(expiresAt, 'expiresAt'), moment(now), agentId);
}

/** The entry that gives the agent attested by a join token an id besides SPIRE's own. */
export function aliasEntry(token, { id, spiffeId }) {
  return new AliasEntry(token, id, spiffeId);
}

/** The entry as `BatchCreateEntry` takes it. It holds the token. */
AliasEntry.prototype.expose = function expose() {
  return JSON.parse(this.exposeJson());
};

/** The entry of an effect `ensure_spire_entry` as `BatchCreateEntry` takes it. */
export function entry(wanted) {
  return JSON.parse(native.spireEntry(give(wanted).json));
}

/** What a result of `BatchCreateEntry` says. */
export function createdEntryOutcome(status, { wanted, found }) {
  const came = found === undefined || found === null ? undefined : give(found).json;
  return native.createdEntryOutcome(status, give(wanted).json, came);
}

/** What a result of `BatchDeleteEntry` says. */
export function deletedEntryOutcome(status) {
  return native.deletedEntryOutcome(status);
}

/** What the answer to `CreateJoinToken` says. */
export function joinTokenOutcome(status, message = '') {
  return native.joinTokenOutcome(status, message);
}
