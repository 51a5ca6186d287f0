// User data that carries a token to the first boot.
import assert from 'node:assert/strict';
import { it } from 'node:test';
import { inspect } from 'node:util';

import { Secret } from 'handfast';
import { CLOUDS, FIRST_BOOT_UNIT, UserData, firstBoot } from 'handfast/userdata';

const TOKEN = 'hf1_0123456789_abcdefghijklmnopqrstuvwxyz';
const tokenPath = '/etc/handfast/token';
const command = ['/usr/local/bin/first-boot', '--token-file', tokenPath];
const boot = (token = TOKEN, more = {}) => firstBoot(token, { tokenPath, command, ...more });

it('Ignition carries the token for root alone', () => {
  const document = JSON.parse(boot(new Secret(TOKEN)).ignition().toSecret().expose());
  const [file] = document.storage.files;
  assert.deepEqual([file.path, file.mode], [tokenPath, 0o600]);
  assert.equal(Buffer.from(file.contents.source.split(',')[1], 'base64').toString(), TOKEN);
  assert.equal(document.systemd.units[0].name, FIRST_BOOT_UNIT);
  assert.equal(JSON.parse(boot().ignition('3.4.0').toSecret().expose()).ignition.version, '3.4.0');
});

it('cloud-init carries the token for root alone', () => {
  const files = [
    { path: '/etc/handfast/run', content: new Secret('#!/bin/true\n'), mode: '0700' },
    { path: '/etc/x', content: 'é' },
  ];
  const text = boot(TOKEN, { files }).cloudConfig().toSecret().expose();
  assert.ok(text.startsWith('#cloud-config\n'));
  const document = JSON.parse(text.slice(text.indexOf('\n')));
  const written = document.write_files.map(({ path, permissions }) => [path, permissions]);
  assert.deepEqual(written.slice(0, 3), [
    [tokenPath, '0600'],
    ['/etc/handfast/run', '0700'],
    ['/etc/x', '0600'],
  ]);
  assert.equal(document.write_files[0].content, TOKEN);
  assert.equal(Buffer.from(document.write_files[2].content, 'base64').toString(), 'é');
  assert.equal(document.runcmd[1].at(-1), FIRST_BOOT_UNIT);
});

it('a cloud has a limit', () => {
  assert.deepEqual(Object.keys(CLOUDS).sort(), [
    'aws',
    'azure',
    'digitalocean',
    'gcp',
    'hetzner',
    'openstack',
    'oracle',
  ]);
  const document = boot(TOKEN, { files: [{ path: '/etc/x', content: 'x'.repeat(16_384) }] }).cloudConfig();
  assert.ok(document instanceof UserData && document.bytes > CLOUDS.aws);
  assert.throws(() => document.fits('aws'), { code: 'userdata_too_large', message: /of which aws takes 16384/ });
  for (const cloud of Object.keys(CLOUDS).filter((cloud) => cloud !== 'aws')) document.fits(cloud);
  assert.throws(() => document.fits('nowhere'), { code: 'userdata_invalid' });
});

it('what could be misread is refused', () => {
  const refused = [
    () => boot('a b'),
    () => boot(TOKEN, { tokenPath: 'etc/x' }),
    () => boot(TOKEN, { command: ['first-boot'] }),
    () => boot(TOKEN, { command: ['/bin/x', TOKEN] }),
    () => boot(TOKEN, { files: [{ path: tokenPath, content: 'x' }] }),
    () => boot(TOKEN, { files: [{ path: '/etc/x', content: 'x', mode: '600' }] }),
    () => boot().ignition('2.3.0'),
  ];
  for (const make of refused) assert.throws(make, { code: 'userdata_invalid' });
  assert.throws(() => boot(7), { code: 'invalid_input' });
  assert.throws(() => firstBoot(TOKEN), { code: 'invalid_input' });
});

it('nothing secret is shown', () => {
  for (const value of [boot(), boot().cloudConfig()]) {
    assert.match(inspect(value), /^(FirstBoot|UserData) \[redacted\]$/);
    assert.deepEqual([`${value}`, JSON.stringify(value)], ['[redacted]', '"[redacted]"']);
  }
  assert.equal(boot().cloudConfig().toSecret().expose(), boot().cloudConfig().toSecret().expose());
});
