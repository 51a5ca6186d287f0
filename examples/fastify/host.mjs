// A small host with Fastify: operators issue packages and hand them out, nodes prove their keys (RFC 9449), redeem and
// check in. Records are in one SQLite file. Start it behind a proxy that does TLS: `HANDFAST_URL=https://.. npm start`.
import { createHash } from 'node:crypto';
import { pathToFileURL } from 'node:url';

import fastify from 'fastify';
import { Registrar, Secret, runSync, work } from 'handfast';
import { SqliteStore } from 'handfast/stores/sqlite';

const STATUS = { not_found: 404, denied: 403, conflict: 409, later: 503, malformed: 400 };

/** `operators` are their names by the SHA-256 digests, in hexadecimal, of their bearer tokens. */
export function createApp({ store, registrar, operators, executor }) {
  const app = fastify();
  const operator = async (request, reply) => {
    const bearer = /^Bearer (.+)$/.exec(request.headers.authorization ?? '')?.[1] ?? '';
    const name = operators[createHash('sha256').update(bearer).digest('hex')];
    if (!name) return reply.code(401).header('www-authenticate', 'Bearer').send({ detail: 'unauthorized' });
    request.authority = `operator:${name}`;
  };
  const shown = ({ headers, ip: source }, name) => {
    const { authorization = '', dpop: proof } = headers;
    return { [name]: authorization.replace(/^DPoP /, ''), proof, source };
  };
  const answer = (reply, command) => {
    const given = runSync(store, command, { registrar });
    // The audit knows the code; whoever asks is told the class.
    if (given.type === 'refused') return reply.code(STATUS[given.class]).send({ detail: given.class });
    if (given.type === 'use_nonce') {
      reply.code(401).headers({ 'www-authenticate': 'DPoP error="use_dpop_nonce"', 'dpop-nonce': given.nonce });
      return reply.send({ code: 'use_nonce' });
    }
    const exposed = JSON.stringify(given, function expose(name, value) {
      return this[name] instanceof Secret ? this[name].expose() : value;
    });
    return reply.type('application/json').header('cache-control', 'no-store').send(exposed);
  };

  app.decorateRequest('authority', null);
  app.setErrorHandler((error, _, reply) => {
    const status = { invalid_input: 400, busy: 503 }[error.code];
    if (!status) throw error;
    return reply.code(status).send({ detail: error.message, path: error.path });
  });
  app.post('/packages', { preHandler: operator }, ({ body, authority }, reply) =>
    answer(reply, { ...body, type: 'issue', authority }),
  );
  app.post('/packages/:id/deliver', { preHandler: operator }, ({ params, authority }, reply) =>
    answer(reply, { type: 'deliver', to: { type: 'operator', package: params.id }, authority }),
  );
  app.post('/redeem', (request, reply) => answer(reply, { type: 'redeem', ...shown(request, 'token') }));
  app.post('/check-in', (request, reply) => {
    const { node, sequence, attempt } = request.body ?? {};
    return answer(reply, { type: 'check_in', node, sequence, attempt, ...shown(request, 'credential') });
  });

  const loop = () => work.perform(store, executor, { registrar }).catch((error) => app.log.error(error));
  const looping = setInterval(loop, 1000);
  app.addHook('onClose', async () => clearInterval(looping));
  return app;
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? '').href) {
  const { HANDFAST_URL: baseUrl, HANDFAST_OPERATOR_SHA256: admin, PORT = 8080, ...given } = process.env;
  const ring = (key = '') => ({ current: 'k1', keys: { k1: Buffer.from(key, 'base64') } });
  const signing = { current: 's1', keys: { s1: given.HANDFAST_SIGNING } }; // openssl genpkey -algorithm ed25519
  const keys = { peppers: ring(given.HANDFAST_PEPPER), sealing: ring(given.HANDFAST_SEALING), signing };
  const nobody = () => ({ type: 'failed', reason: 'nobody here does that' });
  const options = { registrar: new Registrar({ baseUrl }, keys), operators: { [admin]: 'admin' }, executor: nobody };
  await createApp({ store: new SqliteStore('handfast.sqlite'), ...options }).listen({ port: Number(PORT) });
}
