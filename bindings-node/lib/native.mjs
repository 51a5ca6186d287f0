// Loads the native half, and makes its errors HandfastErrors that point at the caller.
import { createRequire } from 'node:module';

import { HandfastError, invalid, misuse } from './error.mjs';

const exported = load();

/** The native functions and classes. */
const native = Object.fromEntries(
  Object.entries(exported).map(([name, value]) => [name, isClass(value) ? guardClass(value) : guard(value)]),
);

export default native;

function load() {
  try {
    return createRequire(import.meta.url)('../native.node');
  } catch (cause) {
    throw new Error('handfast: native.node is missing or was built for another system: run `npm run build`', { cause });
  }
}

function isClass(value) {
  return Object.getOwnPropertyDescriptor(value, 'prototype')?.value !== undefined && /^[A-Z]/.test(value.name);
}

/** The same function with errors of our own. */
function guard(call) {
  const guarded = function (...given) {
    try {
      return call.apply(this, given);
    } catch (error) {
      throw mend(error, guarded, call.name);
    }
  };
  return Object.defineProperty(guarded, 'name', { value: call.name });
}

/** The same class with errors of our own. It shares the prototype, so that what native code makes are its instances. */
function guardClass(original) {
  const { name, prototype } = original;
  const guarded = function (...given) {
    if (!new.target) throw new TypeError(`Class constructor ${name} cannot be invoked without 'new'`);
    try {
      return new original(...given);
    } catch (error) {
      throw mend(error, guarded, `new ${name}`);
    }
  };
  guardMethods(original, guarded);
  guardMethods(prototype, prototype);
  Object.defineProperty(guarded, 'name', { value: name });
  Object.defineProperty(guarded, 'prototype', { value: prototype, writable: false });
  Object.defineProperty(prototype, 'constructor', { value: guarded });
  return guarded;
}

function guardMethods(from, to) {
  for (const [name, { value }] of Object.entries(Object.getOwnPropertyDescriptors(from))) {
    if (name === 'constructor' || name === 'prototype' || typeof value !== 'function') continue;
    Object.defineProperty(to, name, { value: guard(value), configurable: true, writable: true, enumerable: false });
  }
}

function mend(error, caller, called) {
  const mended = ours(error, called);
  if (mended !== error) Error.captureStackTrace(mended, caller);
  return mended;
}

function ours(error, called) {
  switch (error?.code) {
    case 'handfast':
      return new HandfastError(JSON.parse(error.message));
    case 'system':
      return error;
    default:
      if (!(error instanceof Error)) return error;
      if (/no `constructor`/.test(error.message)) return misuse(`${called}: evidence is made by its verifier only`);
      // Node-API's own complaint may repeat the value, which may be a secret.
      return invalid('', `${called}: an argument is of the wrong type`);
  }
}
