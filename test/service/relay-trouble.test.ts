/** Relays that are down, wrong, full, restarted (S4, R1–R4), and paths that break: told, nothing lost, all in step at the end. */
import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { readRelayAddress, writeRelayAddress } from '../../src/protocol/relay-address.ts';
import type { RelayInfo } from '../../src/service/api.ts';
import { seededBytes } from '../fakes/seeded-bytes.ts';
import { Proxy } from '../relay-client/proxy.ts';
import { House, type Person } from './house.ts';

describe('A relay in trouble', function () {
  this.timeout(40_000);
  let house: House;
  beforeEach(async () => (house = await House.build()));
  afterEach(() => house.close());

  const settings = (person: Person, relay: string) => ({
    relay,
    name: person.name,
    deviceName: 'laptop',
    directPort: 0,
    lanDiscovery: false,
  });
  const becomes = async (person: Person, expected: Partial<RelayInfo>): Promise<void> => {
    await person.until(async () => {
      const { state, reason } = await person.api.relay();
      return state === expected.state && (expected.reason === undefined || reason === expected.reason);
    });
  };

  it('S4 a slow one: nothing waits for it, and all of it arrives in order', async () => {
    const relay = await house.startRelay();
    const proxy = await Proxy.start(relay.port);
    const slow = writeRelayAddress({ ...readRelayAddress(relay.address)!, port: Number(proxy.address.split(':')[1]) });
    const alice = await house.move('Alice', { direct: false, relay: slow });
    const bob = await house.move('Bob', { direct: false, relay: slow });
    const workspace = await alice.api.createWorkspace({ name: 'Apollo' });
    await house.join(alice, bob, workspace, { confirm: false });
    await house.converged(workspace, alice, bob);
    const [, chat] = (await alice.tools(workspace)) as [string, string];
    proxy.delay(700);
    const before = performance.now();
    for (let n = 0; n < 20; n++) await alice.api.post(workspace, chat, `post ${n}`);
    assert.ok(performance.now() - before < 20 * 700, 'a post waits for the disk alone');
    await bob.until(async () => (await bob.api.chat(workspace, chat, { limit: 50 })).posts.length === 20);
    assert.ok(performance.now() - before > 1_400, 'it was slow both ways');
    const { posts } = await bob.api.chat(workspace, chat, { limit: 50 });
    assert.deepEqual(
      posts.map(({ text }) => text),
      Array.from({ length: 20 }, (_, n) => `post ${n}`),
    );
    await proxy.stop();
  });

  it('S4 one that has become as good as dead: who closes is not held up, and what he wrote goes out later', async () => {
    const relay = await house.startRelay();
    const proxy = await Proxy.start(relay.port);
    const slow = writeRelayAddress({ ...readRelayAddress(relay.address)!, port: Number(proxy.address.split(':')[1]) });
    const alice = await house.move('Alice', { direct: false, relay: slow });
    const bob = await house.move('Bob', { direct: false, relay: slow });
    const workspace = await alice.api.createWorkspace({ name: 'Apollo' });
    await house.join(alice, bob, workspace, { confirm: false });
    await house.converged(workspace, alice, bob);
    const [, chat] = (await alice.tools(workspace)) as [string, string];
    proxy.delay(60_000);
    await alice.api.post(workspace, chat, 'and then she goes');
    const closing = performance.now();
    await alice.close();
    assert.ok(performance.now() - closing < 5_000, 'VS Code gives an extension five seconds to end');
    // What was under way is lost with its connections.
    proxy.cut();
    proxy.delay(0);
    assert.equal((await bob.api.chat(workspace, chat, { limit: 9 })).posts.length, 0);
    await alice.open({ direct: false, relay: slow });
    await bob.until(async () => (await bob.api.chat(workspace, chat, { limit: 9 })).posts.length === 1);
    await proxy.stop();
  });

  /** Three, of whom Carol’s relay takes what she is sent, and answers nothing any more, and who is away. */
  async function withOneThatIsMute(): Promise<{ proxy: Proxy; alice: Person; bob: Person; workspace: string }> {
    const relay = await house.startRelay();
    const proxy = await Proxy.start(relay.port);
    const mute = writeRelayAddress({ ...readRelayAddress(relay.address)!, port: Number(proxy.address.split(':')[1]) });
    const alice = await house.move('Alice', { direct: false });
    const bob = await house.move('Bob', { direct: false });
    const carol = await house.move('Carol', { direct: false, relay: mute });
    const workspace = await alice.api.createWorkspace({ name: 'Apollo' });
    for (const joiner of [bob, carol]) await house.join(alice, joiner, workspace, { confirm: false });
    const [, chat] = (await bob.tools(workspace)) as [string, string];
    for (const person of [alice, bob]) await person.api.post(workspace, chat, 'from before');
    await house.converged(workspace, alice, bob, carol);
    for (const person of [alice, bob]) {
      await person.until(async () => {
        const { inSync, relayed } = (await person.info(workspace)).sync;
        return inSync + relayed === 2;
      });
    }
    await carol.close();
    proxy.delay(600_000);
    return { proxy, alice, bob, workspace };
  }

  it('S4 one that answers nothing: what is for others lies at theirs meanwhile, content before the word of it', async () => {
    const { proxy, alice, bob, workspace } = await withOneThatIsMute();
    await bob.close();
    const [files, chat] = (await alice.tools(workspace)) as [string, string];
    await alice.write(workspace, files, '/first.bin', seededBytes(300_000, 3));
    for (const text of ['one', 'two', 'three']) {
      await alice.api.post(workspace, chat, text);
      await alice.until(async () => (await alice.info(workspace)).sync.relayed === 1);
    }
    await alice.close();
    await bob.open({ direct: false });
    await bob.until(async () => (await bob.listing(workspace)).length === 6);
    await proxy.stop();
  });

  /** Bob has written something that is not at Carol’s relay yet when he hears that he is out. */
  async function removedBefore({ alice, bob, workspace }: { alice: Person; bob: Person; workspace: string }) {
    const [, chat] = (await bob.tools(workspace)) as [string, string];
    await bob.api.post(workspace, chat, 'for Carol, too');
    await alice.until(async () => (await alice.api.chat(workspace, chat, { limit: 9 })).posts.length === 3);
    const { account } = await bob.api.identity();
    await alice.api.removeMember(workspace, account);
    await bob.until(async () => (await bob.api.workspaces()).length === 0);
  }

  it('S4, K2 one that answers nothing: who is removed, and closes, is not held up by it', async () => {
    const three = await withOneThatIsMute();
    await removedBefore(three);
    const closing = performance.now();
    await three.bob.close();
    assert.ok(performance.now() - closing < 5_000, 'VS Code gives an extension five seconds to end');
    await three.proxy.stop();
  });

  it('S4, K2 one that answers nothing: the copy of who is removed goes all the same', async () => {
    const three = await withOneThatIsMute();
    await removedBefore(three);
    const { bob } = three;
    assert.deepEqual(await bob.api.closed(), [], 'it waits for what others lack');
    const passing = performance.now();
    bob.pass(10 * 60_000);
    await bob.until(async () => (await bob.api.closed()).length === 1);
    assert.ok(performance.now() - passing < 5_000, 'and not for ever');
    await three.proxy.stop();
  });

  it('R4 down, another key, a bad address: each told apart, and work goes on', async () => {
    const relay = await house.startRelay();
    const alice = await house.move('Alice', { relay: '' });
    const workspace = await alice.api.createWorkspace({ name: 'Apollo' });
    const [, chat] = (await alice.tools(workspace)) as [string, string];
    await becomes(alice, { state: 'off' });
    const address = readRelayAddress(relay.address)!;
    const wrong = writeRelayAddress({ ...address, key: address.key.map((byte) => byte ^ 1) });
    await alice.api.configure(settings(alice, wrong));
    await becomes(alice, { state: 'failed', reason: 'wrongKey' });
    await assert.rejects(alice.api.configure(settings(alice, 'example.org')), { code: 'badRelayAddress' });
    await alice.api.configure(settings(alice, writeRelayAddress({ ...address, token: 'not-the-token' })));
    await becomes(alice, { state: 'failed', reason: 'refused' });
    await alice.api.configure(settings(alice, relay.address));
    await becomes(alice, { state: 'connected' });
    await relay.stop();
    house.relay = undefined;
    await becomes(alice, { state: 'failed', reason: 'unreachable' });
    await alice.api.post(workspace, chat, 'all the same');
    assert.equal((await alice.api.chat(workspace, chat, { limit: 9 })).posts[0]!.delivery, 'sent');
    const clumsy = await house.move('Clumsy', { relay: 'no address at all' });
    await becomes(clumsy, { state: 'failed', reason: 'badAddress' });
  });

  it('T1 an address that has the form of one and is none is refused, and one that is kept from before keeps no store from opening', async () => {
    const bad = `coterie-relay://999.1.1.1:2492/${'A'.repeat(43)}`;
    // What she is given at the start stands in for what was set before it was refused.
    const alice = await house.move('Alice', { relay: bad });
    await becomes(alice, { state: 'failed', reason: 'badAddress' });
    await assert.rejects(alice.api.configure(settings(alice, bad)), { code: 'badRelayAddress' });
    const workspace = await alice.api.createWorkspace({ name: 'Apollo' });
    // He has none of his own, and that of her invitation is none.
    const bob = await house.move('Bob', { relay: '' });
    await house.join(alice, bob, workspace, { confirm: false });
    assert.deepEqual(await bob.api.relay(), { state: 'off' });
    await bob.close();
    await bob.open({ relay: '' });
    assert.deepEqual(await bob.api.relay(), { state: 'off' });
    const [, chat] = (await alice.tools(workspace)) as [string, string];
    await alice.api.post(workspace, chat, 'all the same');
    await bob.until(async () => (await bob.api.chat(workspace, chat, { limit: 9 })).posts.length === 1);
  });

  async function twoByRelay(limits = {}): Promise<{ alice: Person; bob: Person; workspace: string; tools: string[] }> {
    await house.startRelay(0, limits);
    const alice = await house.move('Alice', { direct: false });
    const bob = await house.move('Bob', { direct: false });
    const workspace = await alice.api.createWorkspace({ name: 'Apollo' });
    await house.join(alice, bob, workspace, { confirm: false });
    await house.converged(workspace, alice, bob);
    return { alice, bob, workspace, tools: [...(await alice.tools(workspace))] };
  }

  it('R1, S4 restarted in the middle: what was kept and what came meanwhile both arrive', async () => {
    const { alice, bob, workspace, tools } = await twoByRelay();
    const [files, chat] = tools as [string, string];
    await bob.close();
    await alice.api.post(workspace, chat, 'before the restart');
    await alice.until(async () => (await alice.info(workspace)).sync.relayed === 1);
    const { port } = house.relay!;
    await house.relay!.stop();
    await alice.api.post(workspace, chat, 'while it is down');
    await alice.write(workspace, files, '/down.bin', seededBytes(700_000, 3));
    assert.equal((await alice.info(workspace)).sync.relayed, 0);
    await house.startRelay(port);
    await alice.until(async () => (await alice.info(workspace)).sync.relayed === 1);
    await alice.close();
    await bob.open({ direct: false });
    await bob.until(async () => (await bob.listing(workspace)).length === 3);
    await alice.open({ direct: false });
    await house.converged(workspace, alice, bob);
  });

  it('R3 a full queue: told once, nothing lost, and in step when the other is back', async () => {
    const { alice, bob, workspace, tools } = await twoByRelay({ queueMessages: 24 });
    const [, chat] = tools as [string, string];
    await bob.close();
    for (let i = 0; i < 30; i++) await alice.api.post(workspace, chat, `post ${i} ${'x'.repeat(4_000)}`);
    const notice = await alice.notice('relayFull');
    assert.equal(notice.detail['member'], 'Bob');
    assert.equal(alice.notices.filter(({ code }) => code === 'relayFull').length, 1);
    await bob.open({ direct: false });
    const listing = await house.converged(workspace, alice, bob);
    assert.equal(listing.length, 30);
  });

  it('T1 both online and the relay stopped: still in sync directly', async () => {
    await house.startRelay();
    const alice = await house.move('Alice');
    const bob = await house.move('Bob');
    const workspace = await alice.api.createWorkspace({ name: 'Apollo' });
    await house.join(alice, bob, workspace, { confirm: false });
    const [files, chat] = (await alice.tools(workspace)) as [string, string];
    await house.relay!.stop();
    await bob.api.post(workspace, chat, 'no relay');
    await alice.write(workspace, files, '/direct.bin', seededBytes(400_000, 2));
    await house.converged(workspace, alice, bob);
    await alice.until(async () => (await alice.info(workspace)).sync.inSync === 1);
  });

  it('F1, S1 the direct path breaks in the middle of 20 MB: it goes on where it was, and what came is not sent again', async () => {
    const alice = await house.move('Alice');
    const bob = await house.move('Bob', { direct: false });
    const workspace = await alice.api.createWorkspace({ name: 'Apollo' });
    const [files] = (await alice.tools(workspace)) as [string];
    await house.join(alice, bob, workspace, { confirm: false });
    const missing = async () => (await bob.info(workspace)).sync.missingBytes;
    const middle = bob.until(async () => (await missing()) > 4_000_000 && (await missing()) < 15_000_000);
    const bytes = randomBytes(20_000_000);
    await alice.write(workspace, files, '/big.bin', bytes);
    await middle;
    await alice.close();
    const left = await missing();
    assert.ok(left > 0 && left < 15_000_000);
    await alice.open();
    await bob.whole(workspace);
    await house.converged(workspace, alice, bob);
    const total = alice.transport!.counters.directSentBytes;
    assert.ok(total < left + 3_000_000, `${total} bytes were sent for ${left} that were missing`);
  });
});
