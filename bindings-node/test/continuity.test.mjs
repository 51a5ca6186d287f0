// One SQLite file, two languages: what one begins, the other continues.
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { existsSync, mkdtempSync, rmSync, writeSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { it } from 'node:test';
import { fileURLToPath } from 'node:url';

import { Ledger } from 'handfast';
import { SqliteStore } from 'handfast/stores/sqlite';

import { ROOT, World } from './support.mjs';

const PYTHON = process.env.HANDFAST_PYTHON ?? `${ROOT}.venv/bin/python`;
const SCRIPT = fileURLToPath(new URL('continuity.py', import.meta.url));
const TYPES = ['package', 'name', 'subject', 'node'];
const issue = (more) => ({ type: 'issue', authority: 'operator:ann', name: 'edge-1', ...more });
const FILE = { type: 'file', name: 'agent.env', content: 'PASSWORD=hunter2' };

/** Both languages on one file; `null`, and a loud word, where Python is not set up. */
function both(test) {
  if (!existsSync(PYTHON)) {
    writeSync(2, `SKIPPED: no ${PYTHON} with the Python binding (set HANDFAST_PYTHON)\n`);
    test.skip('no Python');
    return null;
  }
  const folder = mkdtempSync(join(tmpdir(), 'handfast-'));
  const path = join(folder, 'shared.sqlite');
  const node = new World(new SqliteStore(path));
  const child = spawn(PYTHON, [SCRIPT, path], { stdio: ['pipe', 'pipe', 'inherit'] });
  const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
  test.after(() => {
    child.stdin.end();
    node.store.close();
    rmSync(folder, { recursive: true });
  });
  const python = async (request) => {
    child.stdin.write(`${JSON.stringify(request)}\n`);
    const { value, done } = await lines.next();
    assert.ok(!done, 'the Python side has ended');
    return JSON.parse(value);
  };
  return { node, python };
}

/** The records of a file in which both have written are the fold of its history, and the same from both sides. */
async function agree(node, python) {
  const ours = TYPES.map((type) => node.store.records(type));
  const theirs = await python({ rows: true });
  const bare = (rows) => rows.flat().map(({ key, version, body }) => ({ key, version, body }));
  assert.deepEqual(bare(ours), bare(theirs));
  const index = ({ index: { labels, parent, status } }) => ({ labels, parent, status });
  assert.deepEqual(ours.flat().map(index), theirs.flat().map(index));
  const replayed = Ledger.replay(node.store.events());
  assert.deepEqual(bare(TYPES.map((type) => replayed.records(type))).sort(byKey), bare(ours).sort(byKey));
}

function byKey(a, b) {
  return a.key < b.key ? -1 : 1;
}

it('Python issues, Node redeems', { timeout: 60_000 }, async (test) => {
  const languages = both(test);
  if (!languages) return;
  const { node, python } = languages;
  const labels = { some_key: 'ä', someKey: '"', 10: 'x', 9: 'y' };
  const issued = await python(issue({ deliver: true, labels, contents: [FILE], bindings: { node_name: 'edge' } }));
  assert.equal(issued.type, 'issued');

  const redeemed = await node.run({ type: 'redeem', token: issued.token, fingerprint: 'machine-1', nodeName: 'edge' });
  assert.equal(redeemed.contents[0].content.expose(), FILE.content);
  const again = await python({ type: 'redeem', token: issued.token, fingerprint: 'machine-1', node_name: 'edge' });
  assert.deepEqual([again.again, again.node, again.contents], [true, redeemed.node, [FILE]]);

  const checkIn = { type: 'check_in', node: redeemed.node, fingerprint: 'machine-1' };
  assert.equal((await node.run({ ...checkIn, sequence: 1 })).again, false);
  assert.equal((await python({ ...checkIn, sequence: 1 })).again, true);
  assert.equal((await python({ ...checkIn, sequence: 2 })).again, false);
  assert.deepEqual(node.store.records()[0].index.labels, labels);

  const revoked = await node.run({ type: 'revoke', authority: 'operator:ann', package: issued.package });
  assert.deepEqual([revoked.type, revoked.again], ['revoked', false]);
  assert.equal((await python({ ...checkIn, sequence: 3 })).code, 'ended');
  await agree(node, python);
});

it('Node issues, Python redeems', { timeout: 60_000 }, async (test) => {
  const languages = both(test);
  if (!languages) return;
  const { node, python } = languages;
  const issued = await node.run(issue({ contents: [FILE] }));
  const delivered = await python({
    type: 'deliver',
    authority: 'operator:ann',
    to: { type: 'operator', package: issued.package },
  });
  assert.equal(delivered.type, 'delivered');
  const redeemed = await python({ type: 'redeem', token: delivered.token, fingerprint: 'machine-1' });
  assert.deepEqual(redeemed.contents, [FILE]);
  const refused = await node.run({ type: 'redeem', token: delivered.token, fingerprint: 'machine-2' });
  assert.equal(refused.code, 'already_claimed');
  assert.equal(
    (await python({ type: 'redeem', token: delivered.token, fingerprint: 'machine-3' })).code,
    'already_claimed',
  );
  assert.deepEqual(
    node.store.notices().map(({ count }) => count),
    [2],
  );
  await agree(node, python);
});

it('Node wants a Kubernetes token, Python makes it', { timeout: 60_000 }, async (test) => {
  const languages = both(test);
  if (!languages) return;
  const { node, python } = languages;
  const issued = await node.run(issue({ contents: [{ type: 'kubernetes_bootstrap_token' }] }));
  const [effect] = await node.outstanding();
  const { expiresAt, ...work } = effect.work;
  const manifest = await python({ reveal: { id: effect.id, work: { ...work, expires_at: expiresAt } } });
  const report = { type: 'report', authority: 'executor:python', effect: effect.id, outcome: { type: 'done' } };
  assert.deepEqual(await python(report), { type: 'reported', changed: true });
  const to = { type: 'operator', package: issued.package };
  const { token } = await node.run({ type: 'deliver', authority: 'operator:ann', to });
  const { contents } = await node.run({ type: 'redeem', token, fingerprint: 'machine-1' });
  const [id, secret] = contents[0].token.expose().split('.');
  assert.ok(manifest.includes(`token-id: "${id}"`) && manifest.includes(`token-secret: "${secret}"`));
  await agree(node, python);
});
