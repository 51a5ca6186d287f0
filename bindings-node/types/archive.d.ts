import type { Secret } from './index.js';

/** A script for any POSIX shell that installs a package; `sh install.sh --help` tells what it does. */
export const INSTALLER: string;

/**
 * What an archive is to hold, in order. Names that any system could take for another place or another file are refused.
 * What it writes is as secret as the most secret of its files.
 */
export class Archive {
  constructor();
  /** The same, and a file of mode 0600. */
  withFile(name: string, content: string | Uint8Array | Secret): Archive;
  /** The same, and a file of mode 0700, one that is meant to be run. */
  withScript(name: string, content: string | Uint8Array | Secret): Archive;
  /** The same, and, as its last file, the list of digests that `INSTALLER` checks. */
  withDigests(): Archive;
  /** The names of the files that were added, in their order. */
  readonly names: string[];
  /** A gzipped tar: the same files in the same order are the same bytes. */
  toTarGz(): Uint8Array;
  /** A zip: the same files in the same order are the same bytes. */
  toZip(): Uint8Array;
}

/** Lines `KEY='value'` that a shell and systemd read alike, in the order given. */
export function envFile(variables: Readonly<Record<string, string | Secret>>): Secret;
