// The host over HTTP: what an operator, a node and a stranger see of it.
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, it } from 'node:test';
import { fileURLToPath } from 'node:url';

import { NodeKey, Registrar, runSync } from 'handfast';
import { SqliteStore } from 'handfast/stores/sqlite';

import { createApp } from './host.mjs';

const PROGRAM = fileURLToPath(new URL('host.mjs', import.meta.url));
const DIGEST = createHash('sha256').update("ann's token").digest('hex');
const ANN = { authorization: "Bearer ann's token" };
const keys = { current: 'k1', keys: { k1: Uint8Array.from({ length: 32 }, (_, place) => place) } };
const URL_OF_NODES = 'https://enrol.example.org';
const signingKey = NodeKey.generate('EdDSA');
const signing = { current: 's1', keys: { s1: signingKey } };
const registrar = new Registrar({ baseUrl: URL_OF_NODES }, { peppers: keys, sealing: keys, signing });

const folder = mkdtempSync(join(tmpdir(), 'handfast-'));
after(() => rmSync(folder, { recursive: true }));
let files = 0;

async function host(test, path = join(folder, `${(files += 1)}.sqlite`)) {
  const store = new SqliteStore(path);
  const performed = [];
  const executor = (effect) => {
    performed.push(effect.work.type);
    return { type: 'done' };
  };
  const app = createApp({ store, registrar, operators: { [DIGEST]: 'ann' }, executor });
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
  return { app, store, post, issue, path, performed };
}

/** A node with its key, as RFC 9449 has it. */
class Node {
  key = NodeKey.generate();

  constructor(post) {
    this.ask = post;
  }

  async post(path, token, body = {}) {
    for (;;) {
      const proof = this.key.makeProof({ method: 'POST', url: URL_OF_NODES + path, token, nonce: this.nonce });
      const answer = await this.ask(path, body, { authorization: `DPoP ${token}`, dpop: proof });
      if (answer.status !== 401) return answer;
      assert.deepEqual(answer.json, { code: 'use_nonce' });
      this.nonce = answer.headers['dpop-nonce'];
    }
  }
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

  const node = new Node(post);
  const grant = await node.post('/redeem', token);
  assert.equal(grant.headers['cache-control'], 'no-store');
  assert.deepEqual(grant.json.contents, [{ type: 'file', name: 'agent.env', content: 'PASSWORD=hunter2' }]);
  assert.deepEqual((await node.post('/redeem', token)).json, { ...grant.json, again: true });

  const checkIn = { node: grant.json.node, sequence: 1 };
  const checkedIn = await node.post('/check-in', grant.json.credential.token, checkIn);
  assert.equal(checkedIn.json.type, 'checked_in');
  const denied = ({ status, json }) => assert.deepEqual([status, json], [403, { detail: 'denied' }]);
  denied(await new Node(post).post('/check-in', checkedIn.json.credential.token, { ...checkIn, sequence: 2 }));
  denied(await new Node(post).post('/redeem', token));
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
  assert.equal((await post('/redeem')).status, 400);
  assert.equal((await post('/check-in', {}, { authorization: 'DPoP a', dpop: 'b' })).status, 400);
});

it('tells a stranger nothing', async (test) => {
  const { post } = await host(test);
  const unknown = '01890a5d-ac96-774b-bcce-b302099a8057';
  assert.equal((await post(`/packages/${unknown}/deliver`, undefined, ANN)).status, 404);
  for (const token of ['hf1_guessed', 'x']) {
    const { status, json } = await new Node(post).post('/redeem', token);
    assert.deepEqual([status, json], [400, { detail: 'malformed' }]);
  }
});

it('keeps its records when it is started again', async (test) => {
  const first = await host(test);
  const id = await first.issue();
  const { post, store } = await host(test, first.path);
  const { token } = (await post(`/packages/${id}/deliver`, undefined, ANN)).json;
  assert.equal((await new Node(post).post('/redeem', token)).status, 200);
  const claimed = store.events().find(({ fact }) => fact === 'node_claimed');
  assert.equal(registrar.view(claimed).source, '192.0.2.7');
});

it('sees to deadlines and effects while it runs', async (test) => {
  const { store, post, issue, performed } = await host(test);
  const old = { type: 'issue', authority: 'operator:ann', name: 'old', ttlSeconds: 60 };
  runSync(store, old, { registrar, now: '2026-01-01T00:00:00Z' });
  const id = await issue({ contents: [{ type: 'host', kind: 'client' }] });
  let delivered;
  for (let wait = 0; wait < 50 && delivered?.status !== 200; wait += 1) {
    await new Promise((resolve) => setTimeout(resolve, 100));
    delivered = await post(`/packages/${id}/deliver`, undefined, ANN);
  }
  assert.deepEqual([delivered.status, performed], [200, ['ensure_host']]);
  assert.deepEqual(
    store.records().map(({ index }) => index.status),
    ['expired', 'delivered'],
  );
});

it('starts from its environment', { timeout: 30_000 }, async (test) => {
  const key = Buffer.alloc(32, 7).toString('base64');
  const env = {
    ...process.env,
    HANDFAST_PEPPER: key,
    HANDFAST_SEALING: key,
    HANDFAST_SIGNING: signingKey.toPem().expose(),
    HANDFAST_URL: URL_OF_NODES,
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
