// What an editor must accept, and what it must underline. Checked by tsc, never run.
import {
  type Answer,
  type Batch,
  type Command,
  HandfastError,
  type InstanceEvent,
  type InstanceIdentity,
  type Key,
  Ledger,
  NodeKey,
  Notification,
  Registrar,
  type Row,
  Secret,
  SnsReceiver,
  type Store,
  archive,
  audit,
  choria,
  explain,
  inspect,
  kubernetes,
  link,
  readInstanceEvent,
  verifyIdentity,
  receive,
  reseal,
  reveal,
  run,
  runAll,
  runSync,
  serviceradar,
  spire,
  template,
  userdata,
  wireguard,
  work,
} from 'handfast';
import { SqliteStore } from 'handfast/stores/sqlite';
import { splitCommand } from 'handfast/template';
import { checkStore } from 'handfast/testing';
import { firstBoot } from 'handfast/userdata';
import { PrivateKey } from 'handfast/wireguard';

const ring = { current: 'k1', keys: { k1: new Uint8Array(32) } };
const registrar = new Registrar(
  { vouchedFingerprints: true, packageTtlSeconds: 900 },
  { peppers: ring, sealing: ring },
);
const store = new SqliteStore('handfast.sqlite');

const issued = await run(
  store,
  { type: 'issue', authority: 'operator:ann', name: 'edge-1', ttlSeconds: 900 },
  { registrar },
);
if (issued.type === 'refused') {
  const shown: 'not_found' | 'denied' | 'conflict' | 'later' | 'malformed' = issued.class;
  console.log(shown, issued.code, issued.message);
} else {
  const token: string | undefined = issued.token?.expose();
  console.log(issued.package, issued.expiresAt, token);
  // @ts-expect-error a refusal's member
  issued.code;
  // @ts-expect-error snake_case is Python's
  issued.expires_at;
}

const redeemed = runSync(
  store,
  { type: 'redeem', token: new Secret('a'), fingerprint: 'b' },
  { registrar, now: new Date() },
);
if (redeemed.type === 'redeemed') {
  for (const content of redeemed.contents) {
    if (content.type === 'file') console.log(content.name, content.content.expose());
    else if (content.type === 'kubernetes_bootstrap_token') console.log(content.token.expose(), content.expiresAt);
    else if (content.type === 'pool_item') console.log(content.pool, content.item, content.content?.expose());
  }
}

function tell(answer: Answer): string {
  switch (answer.type) {
    case 'issued':
    case 'delivered':
    case 'reissued':
    case 'revoked':
      return answer.package;
    case 'linked':
      return answer.link.expose();
    case 'redeemed':
    case 'checked_in':
    case 'node_ended':
      return answer.node;
    case 'use_nonce':
      return answer.nonce;
    case 'banned':
    case 'unbanned':
    case 'subject_observed':
      return answer.subject;
    case 'configured':
    case 'recoveries_reset':
    case 'expired':
    case 'forgotten':
    case 'reported':
      return String(answer.changed);
    case 'observed':
      return answer.instance;
    case 'refused':
      return answer.code;
  }
}
console.log(tell(issued));

// @ts-expect-error no such action
const unknown: Command = { type: 'reboot' };
// @ts-expect-error an authority has a form
const stranger: Command = { type: 'revoke', package: 'a', authority: 'root' };
// @ts-expect-error a misspelt member
const misspelt: Command = { type: 'issue', authority: 'operator:ann', name: 'a', ttl_seconds: 60 };
// @ts-expect-error evidence is a class
const forged: Command = { type: 'observe_instance', event: { instance: 'i-1' } };
// @ts-expect-error evidence has no public constructor
new Notification();
// @ts-expect-error a secret is no text
const text: string = new Secret('a');
console.log(unknown, stranger, misspelt, forged, text);

declare const proven: InstanceIdentity;
const redemption: Command = { type: 'redeem', token: 'a', identity: proven };
// @ts-expect-error evidence is a class
const claimed: Command = { type: 'redeem', token: 'a', identity: { instance: 'i-1' } };
// @ts-expect-error goes with a redemption or a delivery
const misplaced: Command = { type: 'expire', key: 'package/a', identity: proven };
console.log(redemption, claimed, misplaced);

const ruled = new Registrar(
  { ruleMode: 'enforce' },
  { peppers: ring, sealing: ring },
  {
    rule: ({ facts, authority }) => facts.every(({ type }) => type !== 'pool_changed') || `not ${authority}`,
  },
);
// @ts-expect-error a rule that says nothing lets nothing through
new Registrar({}, { peppers: ring, sealing: ring }, { rule: () => {} });
for (const answer of await runAll(store, [redemption], { registrar: ruled })) {
  if (answer instanceof HandfastError) console.log(answer.code);
  else console.log(tell(answer));
}
const count: number = await reseal(store, { registrar });
console.log(count);

const receiver = new SnsReceiver({
  topics: [{ arn: 'arn:aws:sns:us-east-1:123456789012:a', minimumSignatureVersion: '2' }],
});
const received = await receive(receiver, Buffer.from('{}'), { 'x-amz-sns-message-type': 'Notification' });
if (received.type === 'notification') {
  const reading = readInstanceEvent(received.notification, [{ topic: received.notification.topicArn }]);
  if (reading.type === 'instance') {
    const event: InstanceEvent = reading.event;
    if (event.change.type === 'lifecycle') console.log(event.change.transition, event.change.hook);
    await run(store, { type: 'observe_instance', event }, { registrar });
  } else {
    console.log(reading.reason);
  }
} else if (received.type === 'confirm') {
  await fetch(received.confirmation.url);
}

const identity: InstanceIdentity = verifyIdentity(
  { pkcs7: Buffer.from('') },
  { certificates: { 'us-east-1': ['-----BEGIN CERTIFICATE-----'] }, accounts: ['123456789012'], maxAgeSeconds: 300 },
  { now: new Date() },
);
// @ts-expect-error a proof is of one form
verifyIdentity({ document: '{}' }, { certificates: {}, accounts: [] });
console.log(identity.pendingAt, identity.privateIp ?? 'none');

for (const row of store.records('package')) {
  for (const effect of registrar.outstanding(row)) {
    if (effect.work.type === 'ensure_bootstrap_token') console.log(effect.work.groups, effect.work.expiresAt);
    const secret = await reveal(store, effect, { registrar });
    const done: Command = { type: 'report', authority: 'executor:a', effect: effect.id, outcome: { type: 'done' } };
    console.log(secret instanceof Secret ? secret.expose() : secret?.toYaml().expose(), done);
  }
}

for (const { key, index } of store.records('node', { parent: 'package/a', status: ['claimed', 'active'], limit: 10 })) {
  console.log(key, index.parent, index.labels);
}
for (const { subject, status, sequence } of store.subjects('default', { after: 7 })) {
  if (status === 'banned') console.log(subject, sequence);
}
const free: number | undefined = store.scope('default')?.free;
const executor: work.Executor = async (effect, revealed) => {
  if (effect.work.type === 'ensure_host' && revealed instanceof Secret) console.log(effect.work.resource.settings);
  return { type: 'done' };
};
console.log(free, await work.perform(store, executor, { registrar, worker: 'w1' }));
// @ts-expect-error a store without lists cannot be swept
await work.perform({ read: () => [], commit: () => true, due: () => [] }, executor, { registrar });
const signed = new Registrar(
  { baseUrl: 'https://a.example' },
  { peppers: ring, sealing: ring, signing: { current: 'a', keys: { a: NodeKey.generate() } } },
);
console.log(signed.publicJwks()?.keys[0]?.['kid'], signed.nonce());
const redeemedAgain = await run(store, { type: 'redeem', token: 'a', proof: 'b' }, { registrar });
if (redeemedAgain.type === 'use_nonce') console.log(redeemedAgain.nonce);

class Mine implements Store {
  async read(keys: Key[]): Promise<Row[]> {
    return keys.map((key) => ({ key, version: 1, body: '{}' }));
  }
  async commit(batch: Batch): Promise<boolean> {
    return batch.writes.every(({ key, version, body, index }) => key && version && body && index.labels?.['a'] !== 'b');
  }
  async due(): Promise<Key[]> {
    return [];
  }
}
const explanation = await explain(new Mine(), { type: 'expire', key: 'package/a' }, { registrar });
if (explanation.type === 'accepted') console.log(explanation.facts);
// @ts-expect-error this store is asynchronous
runSync(new Mine(), { type: 'expire', key: 'package/a' }, { registrar });

const ledger = new Ledger({ recording: true });
const answer = ledger.run(registrar, { type: 'check_in', node: 'a', fingerprint: 'b', sequence: 1 });
if (answer.type === 'checked_in') console.log(answer.sequence);
console.log(Ledger.replay(ledger.events()).size, ledger.notices()[0]?.notice.body);

const token = kubernetes.BootstrapToken.generate();
console.log(kubernetes.bootstrapSecret(token, { expiresAt: new Date(), owner: 'a' }).toYaml().expose());

const issuer = choria.Issuer.fromSeed(new Secret('00'.repeat(32)));
const fleet: choria.Provisioning = { type: 'provisioning', token: new Secret('a'), urls: ['nats://a'] };
const issuerKey = choria.IssuerKey.read(issuer.publicKey);
const carried = choria.verify(issuerKey, issuer.issue(fleet, { expiresAt: new Date() }), { kind: 'provisioning' });
console.log(carried.token?.expose(), carried.toJSON().claims, choria.inspect('a').kind);
// @ts-expect-error evidence is made by its verifier only
new choria.VerifiedToken();
// @ts-expect-error a server has an identity
issuer.issue({ type: 'server', collectives: [] }, { expiresAt: new Date() });
console.log(
  choria
    .helperReply({ serverClaims: { exp: 7200 } })
    .toDocument()
    .expose(),
);

const nodeKey = NodeKey.generate('EdDSA');
const proof: string = nodeKey.makeProof({
  method: 'POST',
  url: 'https://a.example/',
  token: new Secret('a'),
  nonce: 'b',
});
console.log(proof, nodeKey.thumbprint, NodeKey.fromPem(nodeKey.toPem()).publicJwk()['x']);
// @ts-expect-error handfast makes no RSA keys
NodeKey.generate('RS256');

try {
  ledger.read(['a']);
} catch (error) {
  if (error instanceof HandfastError) console.log(error.code, error.path, error.temporary);
}

const report = await checkStore(() => new SqliteStore(':memory:'), {
  events: (store, key) => store.events(key).map(({ body }) => body),
});
if (!report.passed) console.log(report.failures['write_skew'], report.cases[0]?.outcome.type);
await checkStore(async () => new Mine(), { reopen: (store) => store, stories: ['durable'] });
await checkStore(() => new Ledger());
// @ts-expect-error a store must have `due`
await checkStore(() => ({ read: () => [], commit: () => true }));

const chain = new audit.Chain({ expect: [{ key: 'node/1', version: 1, digest: '00' }] });
chain.feed('{}');
const published: string = audit.root(chain.heads());
const exported: '1.0' = audit.cloudEvent('{}', { source: published }).specversion;
// @ts-expect-error a CloudEvent needs a source
audit.cloudEvent('{}');
const tally = new audit.Tally();
const seconds: number | undefined = tally.rows()[0]?.timeToActivate.sumMs;
const download: link.VerifiedLink = new link.Links(ring).verify(new Secret('hfl1_'), { now: new Date() });
console.log(exported, seconds, download.package);
// @ts-expect-error evidence is made by its verifier only
new link.VerifiedLink();

const emissary = new template.Emissary(new template.Template('---'), { refreshSeconds: 60, now: new Date() });
const step: template.Step = emissary.step();
if (step.type === 'poll') for (const secret of step.secrets) emissary.supply(secret, new Secret('a'));
else if (step.type === 'write_file') console.log(step.path, step.mode, step.content.expose());
else if (step.type === 'run_command') console.log(step.argv[0], step.timeoutSeconds);
else if (step.type === 'wait') console.log(step.until);
else console.log(step.code, step.message);
// @ts-expect-error there are three reasons
emissary.supplyFailed({ provider: 'a', id: 'b' }, 'gone');
console.log(splitCommand('a b').length);
const hub: wireguard.Peer = wireguard.peer('a', {
  allowedIps: ['::/0'],
  presharedKey: wireguard.generatePresharedKey(),
});
const mesh: wireguard.Config = wireguard.config(PrivateKey.generate(), { addresses: ['10.0.0.2/24'], peers: [hub] });
const mtu: number | null = mesh.mtu;
// @ts-expect-error a configuration is put together by `config`
new wireguard.Config();
const boot = firstBoot(mesh.toSecret(), { tokenPath: '/etc/token', command: ['/bin/x'] });
const document: userdata.UserData = boot.withFile('/etc/x', 'x', '0644').ignition('3.4.0');
document.fits('hetzner');
// @ts-expect-error no such cloud
document.fits('nowhere');
// @ts-expect-error a mode that would give it away
boot.withFile('/etc/x', 'x', '0666');
console.log(mtu, userdata.CLOUDS.aws);

const named = serviceradar.edgePackage({
  gateway: 'edge-7',
  metadata: { package_id: 'p' },
  env: { CORE_ADDRESS: new Secret('a') },
  joinToken: new Secret('a'),
  bundle: 'a',
});
const packed: archive.Archive = named.archive().withFile('a', new Uint8Array()).withScript('b', archive.INSTALLER);
const bytes: Uint8Array = packed.withDigests().toTarGz();
// @ts-expect-error a file holds text, bytes or a secret
packed.withFile('a', 7);
const edge = serviceradar.edgeToken({ package: 'p', download: new Secret('a'), privateKey: new Secret('a') });
const told: serviceradar.EdgeToken = serviceradar.verifyEdgeToken(edge, { publicKey: 'a' });
// @ts-expect-error a collector's token ends
serviceradar.collectorToken({ url: 'a', package: 'p', download: 'a', privateKey: 'a' });
// @ts-expect-error evidence is made by its verifier only
new serviceradar.EdgeToken();
console.log(named.fileName, bytes.length, told.download.expose(), told.api ?? 'none');

const bundle: spire.Bundle = spire.bundleFromPem('a', { trustDomain: 'example.org' });
const wanted: spire.Entry = spire.aliasEntry(new Secret('a'), { id: 'a', spiffeId: 'a' }).expose();
const outcome: spire.Outcome = spire.createdEntryOutcome(6, { wanted, found: null });
const parts: spire.Id = spire.spiffeId('spiffe://example.org/a');
const shown: spire.Selector = spire.selector(`unix:uid:${parts.path}`);
console.log(shown.value);
// @ts-expect-error a join token ends
spire.joinTokenRequest('a', {});
// @ts-expect-error whose bundle is it?
spire.bundleFromJson('a');
console.log(bundle.toJson(), bundle.x509Authorities.length, outcome, wanted.spiffeId.path);
const inspected = inspect(new Secret('a'));
if (inspected.type === 'enrollment_token') console.log(inspected.generation);
// @ts-expect-error it has no secret
if (inspected.type === 'kubernetes_bootstrap_token') console.log(inspected.secret);
