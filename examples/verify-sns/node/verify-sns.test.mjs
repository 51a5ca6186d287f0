// The real program over the vectors that all three languages share.
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { existsSync, readFileSync, writeSync } from 'node:fs';
import { it } from 'node:test';
import { fileURLToPath } from 'node:url';

const PROGRAM = fileURLToPath(new URL('verify-sns.mjs', import.meta.url));
const ROOT = fileURLToPath(new URL('../../../', import.meta.url));
const VECTORS = `${ROOT}core/vectors/sns`;
const { cases } = JSON.parse(readFileSync(`${VECTORS}/manifest.json`));
const GOOD = [
  'messages/v2-notification.json',
  ...['--certificate', 'certificates/leaf.pem', '--topic', 'arn:aws:sns:us-east-1:123456789012:enroll'],
  ...['--now', '2026-03-01T12:00:30Z'],
];
const changed = (place, value) => GOOD.with?.(place, value) ?? GOOD.map((word, at) => (at === place ? value : word));
const WRONG = [
  [[], 'MESSAGE.json is missing'],
  [GOOD.slice(0, 1), '--certificate is missing'],
  [GOOD.slice(0, 3), '--topic is missing'],
  [GOOD.slice(0, 5), '--now is missing'],
  [GOOD.slice(0, 6), '--now needs a value'],
  [changed(0, 'messages/none.json'), 'cannot read messages/none.json: '],
  [changed(0, 'messages'), 'cannot read messages: '],
  [changed(2, 'certificates/none.pem'), 'cannot read certificates/none.pem: '],
  [changed(4, 'enroll'), '--topic enroll is not the ARN of a topic'],
  [changed(6, 'yesterday'), '--now yesterday is not a time such as 2026-03-01T12:00:30Z'],
  [changed(6, ''), '--now  is not a time such as 2026-03-01T12:00:30Z'],
  [[...GOOD, '--max-age', 'soon'], '--max-age soon is not a duration such as 90s, 15m, 1h or 7d'],
  [[...GOOD, '--insecure'], 'unknown option --insecure'],
  [[...GOOD, 'again.json'], 'MESSAGE.json is given twice'],
  [[...GOOD, '--now', '2026-03-01T12:00:30Z'], '--now is given twice'],
];

it('prints every case as the manifest says', async () => {
  await inTurns(cases, async (one) => {
    const { status, stdout, stderr } = await verifySns(argumentsOf(one));
    assert.equal(stderr, '', one.name);
    assert.match(stdout, /^[^\n]+\n$/, one.name);
    const { reason, ...printed } = JSON.parse(stdout);
    assert.deepEqual(printed, one.expected, one.name);
    assert.equal(status, one.expected.verdict === 'verified' ? 0 : 1, one.name);
    assert.equal(typeof reason, status === 0 ? 'undefined' : 'string', one.name);
  });
  assert.equal(cases.length, 138);
});

it('says what is wrong with its usage', async () => {
  assert.equal((await verifySns(GOOD)).status, 0);
  await inTurns(WRONG, async ([words, message]) => {
    const { status, stdout, stderr } = await verifySns(words);
    assert.deepEqual([status, stdout], [2, ''], message);
    assert.ok(stderr.startsWith(`verify-sns: ${message}`), stderr);
    assert.ok(stderr.endsWith('\ntry verify-sns --help\n'), stderr);
  });
  assert.equal(WRONG.length, 15);
});

it('helps on the standard output', async () => {
  const { status, stdout, stderr } = await verifySns(['--help']);
  assert.deepEqual([status, stderr], [0, '']);
  assert.match(stdout, /^usage: verify-sns MESSAGE\.json/);
});

it('prints the same bytes as the Rust program, where that is built', async (test) => {
  const target = process.env.CARGO_TARGET_DIR ?? `${ROOT}target`;
  const places = [process.env.VERIFY_SNS, `${target}/release/verify-sns`, `${target}/debug/verify-sns`];
  const rust = places.find((place) => place && existsSync(place));
  if (!rust) {
    writeSync(2, 'SKIPPED: the Rust program is not built; set VERIFY_SNS\n');
    return test.skip('not built');
  }
  const all = [...cases.map(argumentsOf), ...WRONG.map(([words]) => words), ['--help'], ['-h']];
  await inTurns(all, async (words) => {
    assert.deepEqual(await verifySns(words), await run(rust, words), words.join(' '));
  });
  assert.equal(all.length, 138 + 17);
});

function argumentsOf({ file, certificate, topic, now, options }) {
  const age = options.max_age_seconds === undefined ? [] : ['--max-age', `${options.max_age_seconds}s`];
  const legacy = options.legacy_rsa_1024 ? ['--legacy-rsa-1024'] : [];
  const development = options.development ? ['--development'] : [];
  return [file, '--certificate', certificate, '--topic', topic, '--now', now, ...age, ...legacy, ...development];
}

function verifySns(words) {
  return run(process.execPath, [PROGRAM, ...words]);
}

function run(program, words) {
  return new Promise((resolve) => {
    execFile(program, words, { cwd: VECTORS }, (error, stdout, stderr) => {
      resolve({ status: error ? error.code : 0, stdout, stderr });
    });
  });
}

/** Two at a time: each starts a process. */
async function inTurns(items, work) {
  const rest = items.values();
  const turn = async () => {
    for (const item of rest) await work(item);
  };
  await Promise.all([turn(), turn()]);
}
