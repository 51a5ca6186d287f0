// SPIFFE and SPIRE: what a server is asked for, what its answers mean, and whom a trust domain trusts.
import { give, moment } from './carry.mjs';
import { invalid } from './error.mjs';
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
  return Bundle.fromReply(give(inBase64(reply)).json, trustDomain, moment(now));
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

/** The parts of a SPIFFE id as SPIRE's API has them. */
export function spiffeId(text) {
  return JSON.parse(native.spiffeId(text));
}

/** The parts of a selector as SPIRE's API has them. */
export function selector(text) {
  return JSON.parse(native.spireSelector(text));
}

/** The entry of an effect `ensure_spire_entry` as `BatchCreateEntry` takes it. */
export function entry(wanted) {
  return JSON.parse(native.spireEntry(give(wanted).json));
}

/** What a result of `BatchCreateEntry` says. */
export function createdEntryOutcome(status, { wanted, found }) {
  const came = found === undefined || found === null ? undefined : give(found).json;
  return native.createdEntryOutcome(code(status), give(wanted).json, came);
}

/** What a result of `BatchDeleteEntry` says. */
export function deletedEntryOutcome(status) {
  return native.deletedEntryOutcome(code(status));
}

/** What the answer to `CreateJoinToken` says. */
export function joinTokenOutcome(status, message = '') {
  return native.joinTokenOutcome(code(status), message);
}

/** What is no number of 32 bits would arrive as another one, and a 0 says that all is well. */
function code(status) {
  if (Number.isInteger(status) && status === (status | 0)) return status;
  throw invalid('status', 'expected the number of a gRPC status code');
}

/** The authorities' bytes as JSON has them; gRPC libraries give them as they are. */
function inBase64(reply) {
  if (reply === null || typeof reply !== 'object' || Array.isArray(reply)) return reply;
  const written = { ...reply };
  for (const name of ['x509Authorities', 'jwtAuthorities']) {
    if (Array.isArray(reply[name])) written[name] = reply[name].map(authorityInBase64);
  }
  return written;
}

function authorityInBase64(authority) {
  if (authority === null || typeof authority !== 'object') return authority;
  const text = ([name, member]) => [
    name,
    member instanceof Uint8Array ? Buffer.from(member).toString('base64') : member,
  ];
  return Object.fromEntries(Object.entries(authority).map(text));
}
