// User data: what a cloud hands to a machine at its first boot, here with an enrollment token in it.
import native from './native.mjs';

export const { UserData } = native;

/** The clouds with the bytes of the largest document that each takes. */
export const CLOUDS = Object.freeze(native.clouds());

/** The systemd unit that user data installs. */
export const FIRST_BOOT_UNIT = native.firstBootUnit();

/** A token for a file, and the command that is started with it, once. */
export function firstBoot(token, { tokenPath, command, files = [] } = {}) {
  const boot = new native.FirstBoot(token, tokenPath, command);
  return files.reduce((all, { path, content, mode }) => all.withFile(path, content, mode), boot);
}
