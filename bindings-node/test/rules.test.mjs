// A function as the operator's own rule.
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';

import { HandfastError, Ledger, Registrar, explain, runAll } from 'handfast';

import { KEYS, STORES, World } from './support.mjs';

const contents = [{ type: 'file', name: 'a', content: 'hunter2' }];
const gateway = (operator = 'ann', name = 'gw-1') => ({
  type: 'issue',
  authority: `operator:${operator}`,
  kind: 'gateway',
  name,
  labels: { rack_no: '7' },
  contents,
});

/** Only bob may make packages of kind gateway. */
function onlyBob(question) {
  assert.ok(!JSON.stringify(question).includes('hunter2'), 'a rule sees no secret');
  const issued = question.facts.find(({ type }) => type === 'package_issued');
  return issued?.kind !== 'gateway' || question.authority === 'operator:bob' || "gateways are bob's";
}

function worldWith(rule, ruleMode = 'enforce', store = new Ledger({ recording: true })) {
  const world = new World(store);
  world.registrar = new Registrar({ vouchedFingerprints: true, ruleMode }, KEYS, { rule });
  return world;
}

/** The codes of what was refused or warned of, with the reasons. */
function notices({ store, registrar }) {
  return store.notices().map(({ notice }) => {
    const { code, reason } = registrar.view(notice);
    return [code, reason];
  });
}

for (const [name, make] of Object.entries(STORES)) {
  describe(`a rule on ${name}`, () => {
    it('denies with its reason, and nothing happens', async () => {
      const world = worldWith(onlyBob, 'enforce', make());
      const { code, reason } = await world.run(gateway());
      assert.deepEqual([code, reason], ['policy', "gateways are bob's"]);
      assert.deepEqual(world.store.events(), []);
      assert.deepEqual(notices(world), [['policy', "gateways are bob's"]]);
      assert.equal((await world.run(gateway('bob'))).type, 'issued');
    });

    it('that is being rolled out is reported and refuses nothing', async () => {
      const world = worldWith(onlyBob, 'warn', make());
      assert.equal((await world.run(gateway())).type, 'issued');
      assert.deepEqual(notices(world), [['policy_warning', "gateways are bob's"]]);
    });

    it('denies one of a batch', async () => {
      const world = worldWith(onlyBob, 'enforce', make());
      const commands = [gateway('bob', 'a'), gateway('ann', 'b'), gateway('bob', 'c')];
      const answers = await runAll(world.store, commands, { registrar: world.registrar, now: world.clock.now });
      assert.deepEqual(
        answers.map(({ type }) => type),
        ['issued', 'refused', 'issued'],
      );
    });
  });
}

describe('a rule', () => {
  it('is asked with everything that the decision rests on', async () => {
    const asked = [];
    const world = worldWith((question) => asked.push(question) > 0);
    const { package: id } = await world.run({ ...gateway(), deliver: true });
    await world.run({ type: 'revoke', authority: 'operator:ann', package: id, source: '10.0.0.1' });
    const [issue, revoke] = asked;
    assert.deepEqual([issue.command.name, issue.command.contents[0].content], ['gw-1', '[redacted]']);
    assert.deepEqual([issue.command.labels, issue.facts[0].labels], [{ rack_no: '7' }, { rack_no: '7' }]);
    assert.deepEqual([issue.authority, issue.source, issue.records], ['operator:ann', null, {}]);
    assert.deepEqual([issue.facts[0].type, issue.facts[0].maxUses], ['package_issued', 1]);
    assert.deepEqual([revoke.source, revoke.now], ['10.0.0.1', world.clock.now.toISOString()]);
    assert.equal(revoke.records[`package/${id}`].status, 'delivered');
    assert.ok(revoke.facts.some(({ key }) => key === `package/${id}`));
  });

  for (const [what, rule, said] of [
    ['throws', () => assert.fail('no opinion'), 'no opinion'],
    ['throws what is no error', () => Promise.reject.call(), 'TypeError'],
    ['forgets to answer', () => {}, 'a value of type undefined'],
    ['says no without a reason', () => false, 'a value of type boolean'],
    ['gives a number', () => 1, 'a value of type number'],
    ['is asynchronous', async () => true, 'a Promise'],
  ]) {
    it(`that ${what} lets nothing through`, async () => {
      const world = worldWith(rule);
      const failed = (error) =>
        error instanceof HandfastError && error.code === 'rule_failed' && error.message.includes(said);
      await assert.rejects(world.run(gateway('bob')), failed);
      await assert.rejects(explain(world.store, gateway('bob'), { registrar: world.registrar }), failed);
      assert.deepEqual([world.store.events(), notices(world)], [[], []]);
      const warned = worldWith(rule, 'warn');
      assert.equal((await warned.run(gateway())).type, 'issued');
      const [[code, reason]] = notices(warned);
      assert.ok(code === 'policy_warning' && reason.includes(said), reason);
    });
  }

  it('that is off is not asked', async () => {
    const world = worldWith(() => assert.fail(), 'off');
    assert.equal((await world.run(gateway())).type, 'issued');
    assert.deepEqual(notices(world), []);
  });

  it('that comes back for what is being decided fails', async () => {
    const world = worldWith(() => world.store.read(['scope/default']) && true);
    const failed = { code: 'rule_failed', message: /a rule may look at its question only/ };
    await assert.rejects(world.run(gateway('bob')), failed);
    const other = worldWith(() => world.store.run(other.registrar, gateway('bob', 'b')) && true);
    other.store = world.store;
    await assert.rejects(other.run(gateway('bob')), failed);
    assert.deepEqual(world.store.events(), []);
  });

  it('is a function', () => {
    assert.throws(() => new Registrar({}, KEYS, { rule: 'allow' }), { code: 'invalid_input', path: 'rule' });
  });
});
