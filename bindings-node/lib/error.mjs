/**
 * What handfast throws: bad input, a broken store, a mistaken configuration, a message that does not verify. What the
 * rules do not allow is no error but an answer of type `refused`.
 */
export class HandfastError extends Error {
  /** @param {{ code: string, message: string, path?: string, temporary?: boolean, position?: number, key?: string, version?: number }} failure */
  constructor({ code, message, ...more }) {
    super(message);
    this.code = code;
    for (const name of ['path', 'temporary', 'position', 'key', 'version']) {
      if (more[name] !== undefined) this[name] = more[name];
    }
  }

  static {
    Object.defineProperty(this.prototype, 'name', { value: 'HandfastError', configurable: true, writable: true });
  }
}

/** An argument that does not fit, and where in it. */
export function invalid(path, message) {
  const failure = { code: 'invalid_input', message: path ? `${path}: ${message}` : message, path };
  return at(invalid, failure);
}

/** A use of the library that cannot be meant. */
export function misuse(message) {
  return at(misuse, { code: 'misuse', message: `misuse: ${message}` });
}

function at(caller, failure) {
  const error = new HandfastError(failure);
  Error.captureStackTrace(error, caller);
  return error;
}
