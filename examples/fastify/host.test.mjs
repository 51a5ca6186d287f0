// The host over HTTP: what an operator, a node and a stranger see of it.
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, it } from 'node:test';
import { fileURLToPath } from 'node:url';

import { Registrar, runSync } from 'handfast';
import { SqliteStore } from 'handfast/stores/sqlite';

import { createApp } from './host.mjs';

const PROGRAM = fileURLToPath(new URL('host.mjs', import.meta.url));
const DIGEST = createHash('sha256').update("ann's token").digest('hex');
const ANN = { authorization: "Bearer ann's token" };
const keys = { current: 'k1', keys: { k1: Uint8Array.from({ length: 32 }, (_, place) => place) } };
const registrar = new Registrar({ vouchedFingerprints: true }, { peppers: keys, sealing: keys });

const folder = mkdtempSync(join(tmpdir(), 'handfast-'));
after(() => rmSync(folder, { recursive: true }));
let files = 0;

async function host(test, path = join(folder, `${(files += 1)}.sqlite`)) {
  const store = new SqliteStore(path);
  const app = createApp({ store, registrar, operators: { ann: DIGEST } });
  test.after(async () => {
    await app.close();
    store.close();
  });
  const post = async (url, payload, headers = {}) => {
    const response = await app.inject({ method: 'POST', url, payload, headers, remoteAddress: '192.0.2.7' });
    return { status: response.statusCode, headers: response.headers, json: response.json() };
  };
  const issue = async (more = {}) => {
    const { status, json } = await post('/packages', { name: 'edge-1', ...more }, ANN);
    assert.equal(status, 200, JSON.stringify(json));
    assert.ok(!('token' in json));
    return json.package;
  };
  return { app, store, post, issue, path };
}

it('enrols a node', async (test) => {
  const { post, issue } = await host(test);
  const id = await issue({
    contents: [{ type: 'file', name: 'agent.env', content: 'PASSWORD=hunter2' }],
    ttlSeconds: 900,
  });
  const delivered = await post(`/packages/${id}/deliver`, undefined, ANN);
  assert.equal(delivered.headers['cache-control'], 'no-store');
  const { token } = delivered.json;
  assert.match(token, /^hf1_/);

  const redeem = { token, fingerprint: 'machine-1' };
  const grant = await post('/redeem', redeem);
  assert.equal(grant.headers['cache-control'], 'no-store');
  assert.deepEqual(grant.json.contents, [{ type: 'file', name: 'agent.env', content: 'PASSWORD=hunter2' }]);
  assert.deepEqual((await post('/redeem', redeem)).json, { ...grant.json, again: true });

  const checkIn = { node: grant.json.node, fingerprint: 'machine-1', sequence: 1 };
  assert.equal((await post('/check-in', checkIn)).json.type, 'checked_in');
  const stranger = await post('/redeem', { token, fingerprint: 'machine-2' });
  assert.deepEqual([stranger.status, stranger.json], [403, { detail: 'denied' }]);
});

it('lets only operators who show their token issue and hand out', async (test) => {
  const { post, store } = await host(test);
  for (const headers of [
    {},
    { authorization: 'Bearer wrong' },
    { authorization: 'Bearer ' },
    { authorization: 'Basic YTpi' },
  ]) {
    for (const url of ['/packages', '/packages/00000000/deliver']) {
      const { status, headers: given } = await post(url, { name: 'a' }, headers);
      assert.deepEqual([status, given['www-authenticate']], [401, 'Bearer']);
    }
  }
  assert.deepEqual(store.events(), []);
});

it('lets no caller choose its authority', async (test) => {
  const { store, issue } = await host(test);
  await issue({ authority: 'operator:mallory', type: 'revoke' });
  const authorities = new Set(store.events().map((event) => registrar.view(event).authority));
  assert.deepEqual([...authorities], ['operator:ann']);
});

it('says what is wrong, with its place', async (test) => {
  const { post } = await host(test);
  for (const [body, path] of [
    [{ name: 'a/b' }, 'name'],
    [{ name: 'a', ttl: 1 }, 'ttl'],
    [{}, ''],
  ]) {
    const { status, json } = await post('/packages', body, ANN);
    assert.deepEqual([status, json.path], [400, path]);
  }
  assert.equal((await post('/redeem', { token: 7 })).status, 400);
  assert.equal((await post('/redeem')).status, 400);
});

it('tells a stranger nothing', async (test) => {
  const { post } = await host(test);
  const unknown = '01890a5d-ac96-774b-bcce-b302099a8057';
  assert.equal((await post(`/packages/${unknown}/deliver`, undefined, ANN)).status, 404);
  for (const token of ['hf1_guessed', '']) {
    const { status, json } = await post('/redeem', { token, fingerprint: 'm' });
    assert.deepEqual([status, json], [400, { detail: 'malformed' }]);
  }
});

it('keeps its records when it is started again', async (test) => {
  const first = await host(test);
  const id = await first.issue();
  const { post, store } = await host(test, first.path);
  const { token } = (await post(`/packages/${id}/deliver`, undefined, ANN)).json;
  assert.equal((await post('/redeem', { token, fingerprint: 'm' })).status, 200);
  const claimed = store.events().find(({ fact }) => fact === 'node_claimed');
  assert.equal(registrar.view(claimed).source, '192.0.2.7');
});

it('applies deadlines while it runs', async (test) => {
  const { store } = await host(test);
  const old = { type: 'issue', authority: 'operator:ann', name: 'old', ttlSeconds: 60 };
  runSync(store, old, { registrar, now: '2026-01-01T00:00:00Z' });
  for (let wait = 0; wait < 50 && store.records()[0].index.status !== 'expired'; wait += 1) {
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
  assert.equal(store.records()[0].index.status, 'expired');
});

it('starts from its environment', { timeout: 30_000 }, async (test) => {
  const key = Buffer.alloc(32, 7).toString('base64');
  const env = {
    ...process.env,
    HANDFAST_PEPPER: key,
    HANDFAST_SEALING: key,
    HANDFAST_OPERATOR_SHA256: DIGEST,
    PORT: '8471',
  };
  const child = spawn(process.execPath, [PROGRAM], { cwd: folder, env, stdio: ['ignore', 'inherit', 'inherit'] });
  test.after(() => child.kill());
  const options = {
    method: 'POST',
    body: JSON.stringify({ name: 'edge-1' }),
    headers: { ...ANN, 'content-type': 'application/json' },
  };
  let response;
  while (!response) {
    response = await fetch('http://localhost:8471/packages', options).catch(() => null);
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
  assert.equal((await response.json()).type, 'issued');
});

it('is short: at most sixty lines that are neither blank nor imports', () => {
  const lines = readFileSync(PROGRAM, 'utf8')
    .split('\n')
    .filter((line) => line.trim() && !line.startsWith('import '));
  assert.ok(lines.length <= 60, `${lines.length} lines`);
  assert.ok(Math.max(...lines.map((line) => line.length)) <= 120);
});
