#!/usr/bin/env node
// verify-sns: says why an Amazon SNS message verifies, or does not.
//
// The same program exists in Rust, Python and Node, with the same command line and the same output.
import { readFileSync, writeSync } from 'node:fs';
import { getSystemErrorMap } from 'node:util';

import { parseDuration, parseTopicArn, timestamp, verifyOnce } from '../../../bindings-node/lib/index.mjs';

const HELP = `\
usage: verify-sns MESSAGE.json --certificate FILE.pem --topic ARN --now RFC3339
                  [--max-age DURATION] [--legacy-rsa-1024] [--development]

Verifies one Amazon SNS message as it was posted and prints one line of JSON.

  MESSAGE.json         the body of the HTTP request
  --certificate FILE   the signing certificate, or a public key, in PEM
  --topic ARN          the topic that is expected
  --now RFC3339        the present, for example 2026-03-01T12:00:30Z
  --max-age DURATION   how old the message may be: 90s, 15m, 1h, 7d, or seconds; default 1h
  --legacy-rsa-1024    accept the 1024-bit certificates that SNS had until 2013
  --development        accept an emulator's certificate and certificate URL
  --help               print this

exit status: 0 verified, 1 rejected, 2 wrong usage
`;

const OPTIONS = ['--certificate', '--topic', '--now', '--max-age'];
const SWITCHES = ['--legacy-rsa-1024', '--development'];

class UsageError extends Error {}

process.exitCode = main(process.argv.slice(2));

function main(words) {
  try {
    const given = parse(words);
    if (given === null) return write(1, HELP, 0);
    const { line, exitStatus } = verify(given);
    return write(1, `${line}\n`, exitStatus);
  } catch (error) {
    if (!(error instanceof UsageError)) throw error;
    return write(2, `verify-sns: ${error.message}\ntry verify-sns --help\n`, 2);
  }
}

/** What was given, by its name; `null` when help was asked for. */
function parse(words) {
  const given = new Map();
  const rest = words.values();
  for (const word of rest) {
    if (word === '--help' || word === '-h') return null;
    if (SWITCHES.includes(word)) {
      given.set(word, true);
      continue;
    }
    const isOption = OPTIONS.includes(word);
    if (word.startsWith('-') && !isOption) throw new UsageError(`unknown option ${word}`);
    const name = isOption ? word : 'MESSAGE.json';
    const value = isOption ? rest.next().value : word;
    if (value === undefined) throw new UsageError(`${name} needs a value`);
    if (given.has(name)) throw new UsageError(`${name} is given twice`);
    given.set(name, value);
  }
  return given;
}

function verify(given) {
  for (const name of ['MESSAGE.json', '--certificate', '--topic', '--now']) {
    if (!given.has(name)) throw new UsageError(`${name} is missing`);
  }
  const topic = option(given, '--topic', parseTopicArn, 'the ARN of a topic');
  const maxAgeSeconds = option(given, '--max-age', parseDuration, 'a duration such as 90s, 15m, 1h or 7d');
  const now = option(given, '--now', timestamp, 'a time such as 2026-03-01T12:00:30Z');
  return verifyOnce(read(given.get('MESSAGE.json')), read(given.get('--certificate')), {
    topic,
    now,
    maxAgeSeconds,
    legacyRsa1024: given.has('--legacy-rsa-1024'),
    development: given.has('--development'),
  });
}

function option(given, name, parser, expected) {
  if (!given.has(name)) return undefined;
  try {
    return parser(given.get(name));
  } catch {
    throw new UsageError(`${name} ${given.get(name)} is not ${expected}`);
  }
}

function read(path) {
  try {
    return readFileSync(path);
  } catch (error) {
    const [, reason] = getSystemErrorMap().get(error.errno) ?? ['', error.code];
    const said = error.code === 'EISDIR' ? 'is a directory' : reason;
    throw new UsageError(`cannot read ${path}: ${said[0].toUpperCase()}${said.slice(1)} (os error ${-error.errno})`);
  }
}

/** A reader that has gone away is no reason for another exit status. */
function write(to, text, status) {
  try {
    writeSync(to, text);
  } catch (error) {
    if (error.code !== 'EPIPE') throw error;
  }
  return status;
}
