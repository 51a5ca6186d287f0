// One of the threads of the race in sqlite.test.mjs.
import { parentPort, workerData } from 'node:worker_threads';

import { runSync } from 'handfast';
import { SqliteStore } from 'handfast/stores/sqlite';

import { registrar } from './support.mjs';

const { path, token, number, start } = workerData;
const store = new SqliteStore(path);
const ours = registrar();
parentPort.postMessage('ready');
Atomics.wait(new Int32Array(start), 0, 0);
const codes = Array.from({ length: 6 }, (_, turn) => {
  const redeem = { type: 'redeem', token, fingerprint: `machine-${number}-${turn}` };
  const { type, code } = runSync(store, redeem, { registrar: ours });
  return code ?? type;
});
store.close();
parentPort.postMessage(codes);
