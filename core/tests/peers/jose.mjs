// Verifies and signs with npm jose, whose folder is the argument: a task in JSON on standard input, what came of it on
// standard output.
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';

const jose = await import(createRequire(`${process.argv[2]}/`).resolve('jose'));
const task = JSON.parse(readFileSync(0, 'utf8'));
const key = await jose.importJWK(task.public, task.algorithm);
const verified = [];
for (const token of task.verify) {
  try {
    verified.push((await jose.jwtVerify(token, key, { algorithms: [task.algorithm] })).payload);
  } catch (error) {
    if (error.code !== 'ERR_JWS_SIGNATURE_VERIFICATION_FAILED') throw error;
    verified.push(null);
  }
}
const secret = await jose.importPKCS8(task.private, task.algorithm, { extractable: true });
const signed = await new jose.SignJWT(task.claims).setProtectedHeader({ alg: task.algorithm, typ: 'JWT' }).sign(secret);
const { d: _, ...jwk } = await jose.exportJWK(secret);
const thumbprint = await jose.calculateJwkThumbprint(jwk);
console.log(JSON.stringify({ verified, signed, jwk, thumbprint }));
