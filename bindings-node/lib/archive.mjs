// Packages as files: tar.gz and zip that are the same bytes each time, an environment file, and an installer.
import native from './native.mjs';

export const { Archive } = native;

/** A script for any POSIX shell that installs a package; `sh install.sh --help` tells what it does. */
export const INSTALLER = native.installer();

/** Lines `KEY='value'` that a shell and systemd read alike, in the order given. */
export function envFile(variables) {
  return native.envFile(Object.keys(variables), Object.values(variables));
}
