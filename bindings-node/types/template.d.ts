import type { Secret } from './index.js';
import type { Instant } from './vocabulary.js';

/** Where a secret is. Neither part is secret. */
export interface Reference {
  provider: string;
  id: string;
}

/** A secret that a template needs. */
export interface Need extends Reference {
  /** What happens while it is missing. */
  missing: 'wait' | 'default' | 'optional' | 'fail';
  /** Seconds since the start after which it is given up. */
  deadlineSeconds?: number;
}

/** A template file, read and checked: everything that can be wrong with it without knowing its secrets. */
export class Template {
  /** Reads the text of a template file. */
  constructor(file: string);
  /** The permission bits of the file. */
  readonly mode: number;
  /** The path of the file. */
  readonly dest: string;
  /** The words of the command; none where nothing is to run. */
  readonly command: string[];
  /** The secrets that it needs, each once. */
  readonly needs: Need[];
  /** Renders with one value for each need, in their order. */
  render(values: Iterable<string | Secret>): Secret;
  toJSON(): { mode: number; dest: string; command: string[]; needs: Need[] };
}

/** What the host is to do now. */
export type Step =
  /** Ask the providers for these, and `supply` each answer. */
  | { type: 'poll'; secrets: Reference[] }
  /** Write beside its place with these permission bits, to the disk, renamed over it. Then `report`. */
  | { type: 'write_file'; path: string; mode: number; content: Secret }
  /** Run it, never by a shell, and kill it after this time. Then `report`. */
  | { type: 'run_command'; argv: string[]; timeoutSeconds: number }
  /** Nothing, until then; ever, where there is no time. */
  | { type: 'wait'; until?: string }
  /** It has ended. What is in place stays. */
  | { type: 'failed'; code: string; message: string };

/**
 * One template on its way: it says which secrets to ask for and when, and what to write and run once all are there. The
 * host calls `step`, does what it says, tells how that went, and calls again.
 */
export class Emissary {
  /** Starts: deadlines count from now. Delays are drawn with jitter from the system's entropy. */
  constructor(
    template: Template,
    options?: {
      now?: Instant;
      /** Seconds after the first failure; it doubles with each further one. */
      firstSeconds?: number;
      /** Most seconds between two attempts. */
      maxSeconds?: number;
      /** Seconds after which a secret that is there is looked at again. */
      refreshSeconds?: number;
    },
  );
  /** What to do now. */
  step(options?: { now?: Instant }): Step;
  /** Takes a secret that a provider has answered with. */
  supply(secret: Reference, value: string | Secret, options?: { now?: Instant }): void;
  /** Takes the reason why there is none: not there (yet), the provider could not be asked, or it will never be given. */
  supplyFailed(secret: Reference, failure: 'missing' | 'unavailable' | 'refused', options?: { now?: Instant }): void;
  /** Takes whether the file was written, or whether the command ended well. What failed is asked for again, later. */
  report(done: boolean, options?: { now?: Instant }): void;
  /** When the next secret is to be asked for. */
  readonly nextPoll: string | null;
  /** Whether the file is in place and its command has run, with the latest values. */
  readonly settled: boolean;
  /** The secrets that have no value yet. */
  readonly waitsFor: Need[];
}

/** Splits a command line into words, strictly and without expanding anything. */
export function splitCommand(line: string): string[];
