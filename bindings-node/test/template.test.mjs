// Templates that need secrets: emissary's own, and the machine around them.
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { it } from 'node:test';
import { inspect } from 'node:util';

import { Secret, template } from 'handfast';
import { Emissary, Template, splitCommand } from 'handfast/template';

import { realVectors } from './support.mjs';

const FILE = `---
mode: 0400
dest: /etc/app.conf
onrender: systemctl reload "my app"
secrets:
  tls: { provider: env, id: TLS, missing: optional, deadline_seconds: 60 }
---
db = {{poll "file" "db"}}
tls = {{poll "env" "TLS"}}
`;
const DB = { provider: 'file', id: 'db' };
const TLS = { provider: 'env', id: 'TLS' };

const FAKE = { consul_token: 's3cr3t-consul', empty: '', html: `a<b>&"'` };
// Why each of these is refused is told in the core's test of the same vectors.
const STRICTER = new Set([
  'mode-missing',
  'mode-setuid',
  'duplicate-key',
  'poll-pipe',
  'dot-field',
  'onrender-unbalanced-quote',
  'onrender-blank',
]);

function vectors() {
  const path = realVectors('emissary/templates-and-shlex.json');
  return path === null ? null : JSON.parse(readFileSync(path, 'utf8'));
}

it('the templates of emissary give the same bytes', () => {
  const cases = vectors();
  if (cases === null) return;
  const counts = { same: 0, refused: 0 };
  for (const { Name, File, FileExists, Rendered, Dest, Mode } of cases.templates) {
    if (FileExists && !STRICTER.has(Name)) {
      const read = new Template(File);
      assert.equal(read.render(read.needs.map(({ id }) => FAKE[id])).expose(), Rendered, Name);
      assert.deepEqual([read.dest, read.mode.toString(8)], [Dest, Mode]);
      counts.same += 1;
    } else {
      assert.throws(
        () => new Template(File),
        ({ code }) => code.startsWith('template_'),
        Name,
      );
      counts.refused += 1;
    }
  }
  assert.deepEqual(counts, { same: 11, refused: 20 });
});

it('the command lines of emissary have the same words', () => {
  const cases = vectors();
  if (cases === null) return;
  for (const { in: line, words, error } of cases.shlex) {
    if (error === undefined) assert.deepEqual(splitCommand(line), words);
    else assert.throws(() => splitCommand(line), { code: 'template_command' });
  }
  assert.equal(cases.shlex.length, 12);
});

it('a template tells what it needs', () => {
  const read = new Template(FILE);
  const needs = [
    { ...DB, missing: 'wait' },
    { ...TLS, missing: 'optional', deadlineSeconds: 60 },
  ];
  assert.deepEqual(JSON.parse(JSON.stringify(read)), {
    mode: 0o400,
    dest: '/etc/app.conf',
    command: ['systemctl', 'reload', 'my app'],
    needs,
  });
  assert.equal(read.render(['{{x}}', new Secret('on')]).expose(), 'db = {{x}}\ntls = on\n');
  assert.throws(() => read.render(['one']), { code: 'misuse' });
  assert.throws(() => read.render([7, 8]), { code: 'invalid_input', path: 'values' });
  assert.match(inspect(read), /^Template \{[^]*app\.conf/);
  assert.equal(template.Template, Template);
});

it('the file is written when all are there, and then the command runs', () => {
  const start = new Date('2026-03-01T12:00:30Z');
  const late = new Date('2026-03-01T12:01:30Z');
  const emissary = new Emissary(new Template(FILE), { now: start });
  assert.deepEqual(emissary.step({ now: start }), { type: 'poll', secrets: [DB, TLS] });
  emissary.supplyFailed(TLS, 'missing', { now: start });
  emissary.supply(DB, new Secret('hunter2'), { now: start });
  assert.deepEqual(
    emissary.waitsFor.map(({ id }) => id),
    ['TLS'],
  );
  const { type, until } = emissary.step({ now: start });
  assert.equal(type, 'wait');
  assert.ok(until > '2026-03-01T12:00:30.499Z' && until < '2026-03-01T12:00:31.001Z', until);
  assert.equal(emissary.nextPoll, until);
  const write = emissary.step({ now: late });
  assert.equal(write.content.expose(), 'db = hunter2\ntls = \n');
  assert.deepEqual([write.type, write.path, write.mode], ['write_file', '/etc/app.conf', 0o400]);
  assert.doesNotMatch(inspect([write, emissary]) + JSON.stringify([write, emissary]), /hunter2/);
  emissary.report(false, { now: late });
  assert.notEqual(emissary.step({ now: late }).type, 'write_file');
  const later = new Date('2026-03-01T12:01:32Z');
  assert.equal(emissary.step({ now: later }).type, 'write_file');
  emissary.report(true, { now: later });
  const run = { type: 'run_command', argv: ['systemctl', 'reload', 'my app'], timeoutSeconds: 30 };
  assert.deepEqual(emissary.step({ now: later }), run);
  emissary.report(true, { now: later });
  assert.ok(emissary.settled);
  emissary.supply(TLS, 'on', { now: later });
  assert.equal(emissary.step({ now: later }).type, 'write_file');
});

it('a refusal ends it', () => {
  const emissary = new Emissary(new Template(FILE), { firstSeconds: 5, maxSeconds: 5, refreshSeconds: 5 });
  emissary.supplyFailed(DB, 'refused');
  const failed = { type: 'failed', code: 'template_refused', message: 'secret file db is refused' };
  assert.deepEqual(emissary.step(), failed);
  assert.equal(emissary.nextPoll, null);
});

it('mistakes are said', () => {
  const emissary = new Emissary(new Template(FILE));
  assert.throws(() => emissary.supply({ provider: 'file', id: 'other' }, 'x'), { code: 'misuse' });
  assert.throws(() => emissary.report(true), { code: 'misuse' });
  assert.throws(() => emissary.supplyFailed(DB, 'gone'), { code: 'invalid_input', path: 'failure' });
  assert.throws(() => emissary.supply({ provider: 'FILE', id: 'db' }, 'x'), { code: 'template_secret' });
  assert.throws(() => new Emissary({}), { code: 'invalid_input', path: 'template' });
});
