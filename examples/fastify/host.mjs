// A small host with Fastify: operators issue packages and hand them out, nodes redeem them and check in. Records are in
// one SQLite file. Start it behind a proxy that does TLS: `npm start`.
import { createHash, timingSafeEqual } from 'node:crypto';
import { pathToFileURL } from 'node:url';

import fastify from 'fastify';
import { Registrar, Secret, runSync } from 'handfast';
import { SqliteStore } from 'handfast/stores/sqlite';

const STATUS = { not_found: 404, denied: 403, conflict: 409, later: 503, malformed: 400 };

/** `operators` are the SHA-256 digests, in hexadecimal, of the operators' bearer tokens, by their names. */
export function createApp({ store, registrar, operators }) {
  const app = fastify();
  const operator = async (request, reply) => {
    const bearer = /^Bearer (.+)$/.exec(request.headers.authorization ?? '')?.[1] ?? '';
    const digest = createHash('sha256').update(bearer).digest();
    const known = Object.entries(operators).find(([, hex]) => timingSafeEqual(digest, Buffer.from(hex, 'hex')));
    if (!known) return reply.code(401).header('www-authenticate', 'Bearer').send({ detail: 'unauthorized' });
    request.authority = `operator:${known[0]}`;
  };
  const answer = (reply, command) => {
    const given = runSync(store, command, { registrar });
    // The audit knows the code; whoever asks is told the class.
    if (given.type === 'refused') return reply.code(STATUS[given.class]).send({ detail: given.class });
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
  app.post('/redeem', ({ body, ip }, reply) => {
    const { token, fingerprint } = body ?? {};
    return answer(reply, { type: 'redeem', token, fingerprint, source: ip });
  });
  app.post('/check-in', ({ body, ip }, reply) => {
    const { node, fingerprint, sequence } = body ?? {};
    return answer(reply, { type: 'check_in', node, fingerprint, sequence, source: ip });
  });

  const sweeper = setInterval(() => {
    try {
      for (const key of store.due()) runSync(store, { type: 'expire', key }, { registrar });
    } catch (error) {
      app.log.error(error);
    }
  }, 1000);
  app.addHook('onClose', async () => clearInterval(sweeper));
  return app;
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? '').href) {
  const { HANDFAST_PEPPER, HANDFAST_SEALING, HANDFAST_OPERATOR_SHA256: admin, PORT = 8080 } = process.env;
  const ring = (key = '') => ({ current: 'k1', keys: { k1: Buffer.from(key, 'base64') } });
  const keys = { peppers: ring(HANDFAST_PEPPER), sealing: ring(HANDFAST_SEALING) };
  const registrar = new Registrar({ vouchedFingerprints: true }, keys);
  const store = new SqliteStore('handfast.sqlite');
  await createApp({ store, registrar, operators: { admin } }).listen({ port: Number(PORT) });
}
