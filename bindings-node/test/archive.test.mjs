// Archives and environment files.
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { it } from 'node:test';
import { inspect } from 'node:util';

import { Secret } from 'handfast';
import { Archive, INSTALLER, envFile } from 'handfast/archive';

const env = envFile({ PASSWORD: new Secret('hunter2'), SITE: 'north east' });
const made = () =>
  new Archive()
    .withFile('README.txt', 'read me\n')
    .withFile('etc/edge.env', env)
    .withScript('bin/run.sh', Buffer.from('#!/bin/sh\n'))
    .withDigests();

it('the same files are the same bytes', () => {
  assert.deepEqual(made().toTarGz(), made().toTarGz());
  assert.deepEqual(made().toZip(), made().toZip());
  assert.deepEqual(made().names, ['README.txt', 'etc/edge.env', 'bin/run.sh']);
  assert.equal(env.expose(), "PASSWORD='hunter2'\nSITE='north east'\n");
});

it('the installer installs it', () => {
  const folder = mkdtempSync(join(tmpdir(), 'handfast-'));
  try {
    writeFileSync(join(folder, 'install.sh'), INSTALLER);
    writeFileSync(join(folder, 'package.tar.gz'), made().toTarGz());
    const options = ['install.sh', '--package', 'package.tar.gz', '--into', 'installed'];
    const done = spawnSync('sh', options, { cwd: folder, encoding: 'utf8' });
    assert.equal(done.status, 0, done.stderr);
    assert.ok(!`${done.stdout}${done.stderr}`.includes('hunter2'));
    assert.equal(readFileSync(join(folder, 'installed/etc/edge.env'), 'utf8'), env.expose());
  } finally {
    rmSync(folder, { recursive: true });
  }
});

it('hostile names and unspeakable values are refused', () => {
  for (const name of ['../x', '/x', 'a\\b', 'con', 'x.']) {
    assert.throws(() => new Archive().withFile(name, 'x'), { code: 'archive_invalid_name' }, name);
  }
  assert.throws(() => envFile({ A: "hunter2'" }), { code: 'archive_invalid_variable' });
  assert.ok(!inspect(made()).includes('hunter2') && !JSON.stringify(made()).includes('hunter2'));
});
