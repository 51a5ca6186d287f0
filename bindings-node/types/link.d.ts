import type { KeyRing, Secret } from './index.js';
import type { Instant } from './vocabulary.js';

/**
 * Verifies download links under a key ring, the registrar's `peppers`: what is forged or has expired needs no database to
 * be turned away. That a link works only once is the registrar's to say.
 */
export class Links {
  constructor(keys: KeyRing);
  /** Gives what an authentic link says that has not expired, and throws for every other. */
  verify(link: string | Secret, options?: { now?: Instant }): VerifiedLink;
}

/** What an authentic link says. Evidence: only `Links.verify` makes one. */
export class VerifiedLink {
  private constructor();
  /** The package that may be downloaded. */
  readonly package: string;
  /** Counts the links of the package: only the latest is good. */
  readonly number: number;
  /** When the link ends. */
  readonly expiresAt: string;
  toJSON(): { package: string; number: number; expiresAt: string };
}
