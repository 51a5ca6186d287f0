// Plain objects on their way to the native half and back: JSON text, with secrets and evidence beside it. The case of
// members changes there (src/names.rs), so that it changes in one place.
import { HandfastError, invalid } from './error.mjs';
import native from './native.mjs';

/** Stands for a secret in the text. */
class Placeholder {
  constructor(place) {
    this.$secret = place;
  }
}

/** The members of a command that are evidence. */
const EVIDENCE = { event: native.InstanceEvent, identity: native.InstanceIdentity };

/**
 * Takes a value apart: `Secret`s and evidence go beside the text. `Date`s become RFC 3339, `Map`s objects and `Set`s
 * arrays.
 *
 * @returns {{ json: string, secrets: object[], event?: object, identity?: object }}
 */
export function give(value) {
  const secrets = [];
  const evidence = {};
  const replace = function (name, written) {
    const member = this[name];
    if (this instanceof Placeholder) return member;
    if (member instanceof native.Secret) return new Placeholder(secrets.push(member) - 1);
    for (const [place, kind] of Object.entries(EVIDENCE)) {
      if (!(member instanceof kind)) continue;
      if (this !== value || name !== place)
        throw invalid(name, `an ${kind.name} belongs into \`${place}\` of a command`);
      evidence[place] = member;
      return undefined;
    }
    if (member instanceof Date) return native.timestamp(moment(member, name));
    if (member instanceof Map) return Object.fromEntries(member);
    if (member instanceof Set) return [...member];
    if (name === '$secret' && typeof member !== 'string') throw invalid(name, 'unknown field');
    if (typeof member === 'bigint' || typeof member === 'function' || typeof member === 'symbol') {
      throw invalid(name, `a ${typeof member} has no meaning here`);
    }
    if (typeof member === 'number' && !Number.isFinite(member)) throw invalid(name, 'expected a finite number');
    return written;
  };
  const json = stringify(value, replace);
  if (json === undefined) throw invalid('', 'expected an object');
  return { json, secrets, ...evidence };
}

/** Puts a value together again. `type` comes first, because that is how people read it. */
export function take(json, secrets = []) {
  return JSON.parse(json, (_, value) => {
    if (value === null || typeof value !== 'object' || Array.isArray(value)) return value;
    if (typeof value.$secret === 'number') return secrets[value.$secret];
    return 'type' in value ? { type: value.type, ...value } : value;
  });
}

/**
 * Takes the commands of a batch apart. What is wrong with one is its answer, and no concern of the others.
 *
 * @returns {{ carried: object[], failures: Map<number, HandfastError> }}
 */
export function giveAll(commands) {
  const failures = new Map();
  const carried = Array.from(commands, (command, place) => {
    try {
      return give(command);
    } catch (error) {
      failures.set(place, error);
      return { json: 'null', secrets: [] };
    }
  });
  return { carried, failures };
}

/** The answers to a batch; what is wrong with a command stands in its place. */
export function takeAll(settled, failures) {
  return settled.map(({ answer, failure }, place) => {
    if (failures.has(place)) return failures.get(place);
    return answer ? take(answer.json, answer.secrets) : new HandfastError(JSON.parse(failure));
  });
}

/** An instant in milliseconds since 1970; the system's clock when there is none. */
export function moment(at, argument = 'now') {
  if (at === undefined) return Date.now();
  if (typeof at === 'string') return native.millis(at, argument);
  const millis = at instanceof Date ? at.getTime() : Number.NaN;
  if (Number.isNaN(millis)) throw invalid(argument, 'expected a valid Date or an RFC 3339 text');
  return millis;
}

/** The body: a text, or the member `body` of a row. */
export function bodyOf(rowOrBody) {
  const body = typeof rowOrBody === 'object' && rowOrBody !== null ? rowOrBody.body : rowOrBody;
  if (typeof body !== 'string') throw invalid('body', 'expected a stored body, or a row that has one');
  return body;
}

/** The rows of a store as the native half takes them; a store may give them more columns. */
export function rowsOf(rows) {
  if (!Array.isArray(rows)) throw invalid('rows', 'expected an array of rows, as read() of a store gives it');
  return rows.map(({ key, version, body }) => ({ key, version, body }));
}

/** The bytes of a text or of an array of bytes. */
export function bytesOf(value, argument) {
  if (value instanceof Uint8Array) return value;
  if (typeof value === 'string') return Buffer.from(value);
  throw invalid(argument, 'expected a Uint8Array or a string');
}

function stringify(value, replace) {
  try {
    return JSON.stringify(value, replace);
  } catch (error) {
    throw error instanceof HandfastError ? error : invalid('', `cannot be carried: ${error.message.split('\n')[0]}`);
  }
}
