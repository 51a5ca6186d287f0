// A whole SNS verification through Node, in turns with Rust and with what one would use instead.
//
//     node benches/node/sns.mjs [--seconds N] [--rust PATH]
//
// Both of a line verify the same message in the same run, certificate at hand, in short turns. --rust is the program
// `sns_turns` of the folder `benches`. Peers that are not installed are left out, loudly.
import { spawn } from 'node:child_process';
import { X509Certificate, verify } from 'node:crypto';
import { EventEmitter } from 'node:events';
import { existsSync, readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';

import { SnsReceiver } from '../../bindings-node/lib/index.mjs';

const require = createRequire(import.meta.url);
const ROOT = fileURLToPath(new URL('../../', import.meta.url));
const TARGET = process.env.CARGO_TARGET_DIR ?? `${ROOT}target`;
const VECTORS = `${ROOT}core/vectors/sns`;
const TOPIC = 'arn:aws:sns:us-east-1:123456789012:enroll';
const CERTIFICATE = readFileSync(`${VECTORS}/certificates/leaf.pem`);
const CALLS = 20;

const { values } = parseArgs({
  options: {
    seconds: { type: 'string', default: '4' },
    rust: { type: 'string', default: `${TARGET}/release/examples/sns_turns` },
  },
});
for (const version of ['1', '2']) {
  const body = readFileSync(`${VECTORS}/messages/v${version}-autoscaling-launch-direct.json`);
  const title = `sns verify v${version} through Node, body of ${body.length} bytes`;
  const subject = timed(handfast(body));
  const rust = startRust(version);
  if (rust) await compare(`${title}: handfast in Rust`, subject, rust.turn);
  rust?.stop();
  await compare(`${title}: node:crypto by hand`, subject, timed(byHand(body)));
  for (const [name, turn] of Object.entries(peers(body))) await compare(`${title}: ${name}`, subject, turn);
}

/**
 * Runs both in turns, because machines change their speed, and prints the quick turns (the tenth percentile: what they
 * cost while nothing else runs) and the medians.
 */
async function compare(title, subject, baseline) {
  const turns = [[], []];
  const end = performance.now() + Number(values.seconds) * 1000;
  while (performance.now() < end) {
    turns[0].push(await subject());
    turns[1].push(await baseline());
  }
  const [ours, theirs] = turns.map((taken) => taken.sort((a, b) => a - b));
  const at = (taken, part) => taken[Math.floor(taken.length * part)];
  const line = (part) => [at(ours, part) / 1000, at(theirs, part) / 1000, at(ours, part) / at(theirs, part)];
  const [quick, quickBaseline, ratio] = line(0.1);
  const [median, medianBaseline, ratioOfMedians] = line(0.5);
  console.log(
    `RATIO ${title}: ${quick.toFixed(2)} us, baseline ${quickBaseline.toFixed(2)} us, ratio ${ratio.toFixed(3)} ` +
      `(medians ${median.toFixed(2)} and ${medianBaseline.toFixed(2)} us, ratio ${ratioOfMedians.toFixed(3)})`,
  );
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

/** As a host calls it: by the system's clock. The message of the vectors is of another day, so any age will do. */
function handfast(body) {
  const anyAge = 2 ** 32 - 1;
  const receiver = new SnsReceiver({ topics: [{ arn: TOPIC }], maxAgeSeconds: anyAge, maxAheadSeconds: anyAge });
  const { fetch } = receiver.receive(body);
  receiver.certificate(fetch.url, CERTIFICATE);
  const call = () => receiver.receive(body);
  if (call().type !== 'notification') throw new Error('not verified');
  return call;
}

/** The shortest thing that checks the signature, with the key parsed once. */
function byHand(body) {
  const key = new X509Certificate(CERTIFICATE).publicKey;
  const names = ['Message', 'MessageId', 'Subject', 'Timestamp', 'TopicArn', 'Type'];
  return () => {
    const message = JSON.parse(body);
    const signed = names
      .filter((name) => name in message)
      .map((name) => `${name}\n${message[name]}\n`)
      .join('');
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
