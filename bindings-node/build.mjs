// Builds the native half and puts it beside this file: `node build.mjs [--debug]`. Needs a Rust toolchain, nothing
// else.
import { spawnSync } from 'node:child_process';
import { copyFileSync, renameSync, rmSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const here = dirname(fileURLToPath(import.meta.url));
const profile = process.argv.includes('--debug') ? [] : ['--release'];
const cargo = spawnSync('cargo', ['build', '--locked', ...profile, '--message-format=json-render-diagnostics'], {
  cwd: here,
  stdio: ['ignore', 'pipe', 'inherit'],
  encoding: 'utf8',
  maxBuffer: 64 * 1024 * 1024,
});
if (cargo.error) {
  console.error(`handfast: cannot run cargo (${cargo.error.code}): install Rust 1.89 or newer`);
  process.exit(1);
}
if (cargo.status !== 0) process.exit(cargo.status ?? 1);

const library = cargo.stdout
  .split('\n')
  .filter((line) => line.startsWith('{'))
  .map((line) => JSON.parse(line))
  .filter((message) => message.reason === 'compiler-artifact' && message.target.name === 'handfast_node')
  .flatMap((message) => message.filenames)
  .find((file) => /\.(so|dylib|dll)$/.test(file));
if (!library) {
  console.error('handfast: cargo built no library');
  process.exit(1);
}

// A running process may have the old file open: give it a new one instead of writing into its memory.
const target = join(here, 'native.node');
copyFileSync(library, `${target}.new`);
rmSync(target, { force: true });
renameSync(`${target}.new`, target);
console.log(`built native.node from ${library.split(/[\\/]/).slice(-2).join('/')}`);
