// A whole SNS verification through Node, in turns with Rust and with what one would use instead.
//
//     node benches/node/sns.mjs [--seconds N] [--rust PATH]
//
// Every contender verifies the same message in the same run, certificate at hand, in short turns; medians are printed.
// --rust is the program `sns_turns` of the folder `benches`. Peers that are not installed are left out, loudly.
import { spawn } from 'node:child_process';
import { X509Certificate, verify } from 'node:crypto';
import { EventEmitter } from 'node:events';
import { existsSync, readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';

import { SnsReceiver } from 'handfast';

const require = createRequire(import.meta.url);
const ROOT = fileURLToPath(new URL('../../', import.meta.url));
const TARGET = process.env.CARGO_TARGET_DIR ?? `${ROOT}target`;
const VECTORS = `${ROOT}core/vectors/sns`;
const TOPIC = 'arn:aws:sns:us-east-1:123456789012:enroll';
const NOW = '2026-03-01T12:00:30Z';
const CERTIFICATE = readFileSync(`${VECTORS}/certificates/leaf.pem`);
const CALLS = 40;

const { values } = parseArgs({
  options: {
    seconds: { type: 'string', default: '8' },
    rust: { type: 'string', default: `${TARGET}/release/examples/sns_turns` },
  },
});
for (const version of ['1', '2']) {
  const body = readFileSync(`${VECTORS}/messages/v${version}-autoscaling-launch-direct.json`);
  const rust = startRust(version);
  const turns = {
    'handfast in Node': timed(handfast(body)),
    ...(rust && { 'handfast in Rust': rust.turn }),
    'node:crypto by hand': timed(byHand(body)),
    ...peers(body),
  };
  await measure(`sns verify v${version}, ${body.length} bytes`, turns, Number(values.seconds));
  rust?.stop();
}

/** Runs all in turns, so that a machine that changes its speed changes it for all of them. */
async function measure(title, turns, seconds) {
  const times = Object.fromEntries(Object.keys(turns).map((name) => [name, []]));
  const end = performance.now() + seconds * 1000;
  while (performance.now() < end) {
    for (const [name, turn] of Object.entries(turns)) times[name].push(await turn());
  }
  const ours = median(times['handfast in Node']);
  for (const [name, taken] of Object.entries(times)) {
    const time = (median(taken) / 1000).toFixed(2);
    console.log(`RATIO ${title}, ${name}: ${time} us, handfast in Node is ${(ours / median(taken)).toFixed(3)} times that`);
  }
}

function median(taken) {
  return taken.sort((a, b) => a - b)[Math.floor(taken.length / 2)];
}

/** Runs some calls and gives the nanoseconds for each. */
function timed(call) {
  return async () => {
    const start = process.hrtime.bigint();
    for (let left = CALLS; left > 0; left -= 1) {
      const pending = call();
      if (pending instanceof Promise) await pending;
    }
    return Number(process.hrtime.bigint() - start) / CALLS;
  };
}

function startRust(version) {
  if (!existsSync(values.rust)) {
    console.error(`SKIPPED: no ${values.rust}: cargo build --release -p handfast-benches --example sns_turns`);
    return null;
  }
  const child = spawn(values.rust, [version], { stdio: ['pipe', 'pipe', 'inherit'] });
  const answers = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
  const turn = async () => {
    child.stdin.write(`${CALLS}\n`);
    return Number((await answers.next()).value);
  };
  return { turn, stop: () => child.stdin.end() };
}

function handfast(body) {
  const receiver = new SnsReceiver({ topics: [{ arn: TOPIC }] });
  const options = { now: new Date(NOW) };
  const { fetch } = receiver.receive(body, undefined, options);
  receiver.certificate(fetch.url, CERTIFICATE, options);
  const call = () => receiver.receive(body, undefined, options);
  if (call().type !== 'notification') throw new Error('not verified');
  return call;
}

/** The shortest thing that checks the signature, with the key parsed once. */
function byHand(body) {
  const key = new X509Certificate(CERTIFICATE).publicKey;
  const names = ['Message', 'MessageId', 'Subject', 'Timestamp', 'TopicArn', 'Type'];
  return () => {
    const message = JSON.parse(body);
    const signed = names.filter((name) => name in message).map((name) => `${name}\n${message[name]}\n`).join('');
    const algorithm = message.SignatureVersion === '1' ? 'sha1' : 'sha256';
    const held = verify(algorithm, Buffer.from(signed), key, Buffer.from(message.Signature, 'base64'));
    if (!held) throw new Error('not verified');
    return message;
  };
}

/** The packages as they are, with a fetch that costs nothing. */
function peers(body) {
  require('node:https').get = (_url, ...given) => {
    const response = Object.assign(new EventEmitter(), { statusCode: 200 });
    given.at(-1)(response);
    response.emit('data', CERTIFICATE);
    response.emit('end');
    return new EventEmitter();
  };
  const makers = {
    'sns-validator': (Validator) => {
      const validator = new Validator();
      const settle = (resolve, reject) => (error, message) => (error ? reject(error) : resolve(message));
      return () => new Promise((resolve, reject) => validator.validate(body.toString(), settle(resolve, reject)));
    },
    'sns-payload-validator': (Validator) => {
      const validator = new Validator();
      return () => validator.validate(body.toString());
    },
  };
  const found = Object.entries(makers).map(([name, make]) => {
    try {
      const { version } = require(`${name}/package.json`);
      return [`${name} ${version}`, timed(make(require(name)))];
    } catch {
      console.error(`SKIPPED: ${name} is not installed (npm ci in benches/node)`);
      return null;
    }
  });
  return Object.fromEntries(found.filter(Boolean));
}
