import type { Secret } from './index.js';

/** A cloud with a limit of its own. */
export type Cloud = 'aws' | 'azure' | 'gcp' | 'openstack' | 'digitalocean' | 'hetzner' | 'oracle';

/** The clouds with the bytes of the largest document that each takes, before any base64. */
export const CLOUDS: Readonly<Record<Cloud, number>>;

/** The systemd unit that user data installs. */
export const FIRST_BOOT_UNIT: string;

/**
 * A document of user data, with the token in it. Whoever may describe the instance reads it, and so does every process on it
 * that reaches the metadata service: the token must be good for one use and for minutes.
 */
export class UserData {
  private constructor();
  /** The text, for the cloud's API and for nothing else. */
  toSecret(): Secret;
  /** Throws `userdata_too_large` if the cloud does not take a document of this size. */
  fits(cloud: Cloud): void;
  /** Its bytes, as the clouds count them. */
  readonly bytes: number;
  /** `[redacted]`. */
  toString(): string;
  /** `[redacted]`. */
  toJSON(): string;
}

/** A token for a file, and the command that is started with it, once. */
export interface FirstBoot {
  /** An Ignition configuration; of specification 3.3.0 when nothing is said. */
  ignition(version?: '3.3.0' | '3.4.0'): UserData;
  /** A cloud-init configuration, `#cloud-config`. */
  cloudConfig(): UserData;
  /** The same, and one more file. */
  withFile(path: string, content: string | Secret, mode?: FileMode): FirstBoot;
}

/** The permissions of a file of root's; `0600` when nothing is said. */
export type FileMode = '0600' | '0700' | '0644' | '0755';

/** Puts it together. */
export function firstBoot(
  token: string | Secret,
  options: {
    /** Where the token is written, with mode 0600. It goes when the command has succeeded. */
    tokenPath: string;
    /** A program and its arguments, of which nobody interprets any. It names the token's file, not the token. */
    command: readonly string[];
    /** More files of root's. */
    files?: readonly { path: string; content: string | Secret; mode?: FileMode }[];
  },
): FirstBoot;
