/**
 * K5, N2: whoever runs the relay that somebody's messages come by, and holds the key that they are under: a member who hosts it for the others, say, or who
 * works with one. In nobody's name but his own is he heard. Real stores and sockets.
 */
import assert from 'node:assert/strict';
import { fromBase64Url } from '../../src/base/bytes.ts';
import type { DeviceId, FeedId, WorkspaceId } from '../../src/base/ids.ts';
import { nodeCrypto } from '../../src/crypto/node/crypto.ts';
import { issueCertificate } from '../../src/protocol/certificate.ts';
import { readDelta } from '../../src/sync/delta.ts';
import type { SealKey } from '../../src/sync/envelope.ts';
import { epochOf } from '../../src/sync/epoch.ts';
import { invitationKeys, joinSubject, readInvitation } from '../../src/sync/invitation.ts';
import { headOf, type FeedMark, type Message } from '../../src/sync/messages.ts';
import type { Path } from '../../src/sync/ports.ts';
import { deltasIn } from '../../src/service/records.ts';
import { sealedLie } from '../sync/sealed-lies.ts';
import { House, type Person } from './house.ts';

const crypto = nodeCrypto();

describe('A relay whose operator holds the key', function () {
  this.timeout(30_000);
  let house: House;
  let alice: Person;
  let mallory: Person;
  let workspace: string;
  let chat: string;

  beforeEach(async () => {
    house = await House.build();
    alice = await house.move('Alice');
    mallory = await house.move('Mallory');
    workspace = await alice.api.createWorkspace({ name: 'Apollo' });
    chat = (await alice.tools(workspace))[1]!;
    await house.join(alice, mallory, workspace, { confirm: false });
  });
  afterEach(() => house.close());

  const deviceOf = async (person: Person) => (await person.api.identity()).device as DeviceId;
  const seedOf = (person: Person) => fromBase64Url(person.secrets.signingSeed)!;
  const names = async () => (await alice.info(workspace)).members.map(({ name }) => name);

  /** As his own client has it. */
  function epochSeal(): SealKey {
    const known = mallory.known().find((one) => one.kind === 'local' && one.key.startsWith(`epoch/${workspace}/`));
    assert.ok(known?.kind === 'local' && known.value instanceof Uint8Array);
    return { ...epochOf(crypto, known.value), workspace: workspace as WorkspaceId };
  }

  /** To Alice, as from this device, signed with this seed where the path asks for it. */
  async function say(from: DeviceId, seed: Uint8Array, under: SealKey, message: Message, path: Path = 'relay') {
    await alice.hears({ from, path, bytes: sealedLie(crypto, { under, path, seed }, from, message) });
  }

  const presence = (address: string): Message => ({ kind: 'presence', state: 1, addresses: [address], answer: false });

  it('K5 what he says in another’s name changes nothing: nobody is there who is not, and what waits for him waits', async () => {
    const carol = await house.move('Carol');
    await house.join(alice, carol, workspace, { confirm: false });
    await house.converged(workspace, alice, carol, mallory);
    const device = await deviceOf(carol);
    await carol.close();
    const isThere = async () =>
      (await alice.info(workspace)).members.find(({ name }) => name === 'Carol')!.presence !== 'offline';
    await alice.until(async () => !(await isThere()));
    const { id } = await alice.api.post(workspace, chat, 'for Carol, too');
    const vector: FeedMark[] = [...new Set(feedsOf(alice))].map((feed) => ({
      ...{ feed, seq: Number.MAX_SAFE_INTEGER, tip: '00'.repeat(8) },
    }));
    const heads = vector.map(({ feed, seq }) => headOf(feed, seq));
    for (const message of [
      { kind: 'have', vector, answer: false, root: '', needsCopy: true },
      { kind: 'got', heads },
      presence('192.0.2.1:1'),
    ] as const satisfies readonly Message[])
      await say(device, seedOf(mallory), epochSeal(), message);
    await alice.until(async () => (await alice.info(workspace)).members.some(({ presence: is }) => is === 'online'));
    assert.equal(await isThere(), false);
    const { posts } = await alice.api.chat(workspace, chat, { limit: 99 });
    assert.equal(posts.find((post) => post.id === id)?.delivery, 'waiting');
    await carol.open();
    await house.converged(workspace, alice, carol, mallory);
    assert.deepEqual(alice.notices, []);
  });

  it('K5 what is signed is refused where it comes directly, and what is not where it comes by the relay', async () => {
    const [device, seed] = [await deviceOf(mallory), seedOf(mallory)];
    await mallory.close();
    const isThere = async () =>
      (await alice.info(workspace)).members.find(({ name }) => name === 'Mallory')!.presence !== 'offline';
    await alice.until(async () => !(await isThere()));
    const bytesOf = (path: Path) =>
      sealedLie(crypto, { under: epochSeal(), path, seed }, device, presence('192.0.2.1:1'));
    await alice.hears({ from: device, path: 'direct', bytes: bytesOf('relay') });
    await alice.hears({ from: device, path: 'relay', bytes: bytesOf('direct') });
    assert.equal(await isThere(), false);
    await alice.hears({ from: device, path: 'relay', bytes: bytesOf('relay') });
    assert.equal(await isThere(), true);
  });

  it('N2 K5 whoever has an invitation lets in no device but his own by it, whose certificate he may know', async () => {
    const { link } = await alice.api.invite(workspace, {
      ...{ role: 'participant', expiresInMs: 60_000, uses: 9, confirm: false, scheme: 'vscode' },
    });
    const read = readInvitation(crypto, link);
    assert.ok(read.ok);
    const keys = invitationKeys(crypto, read.value.secret);
    const signingSeed = crypto.randomBytes(32);
    const agreementKey = crypto.agreementKeyOf(crypto.randomBytes(32));
    const { bytes: certificate, device } = issueCertificate(crypto, crypto.randomBytes(32), {
      ...{ signingSeed, agreementKey, name: '', created: 1 },
    });
    const subject = joinSubject(workspace as WorkspaceId, read.value.invite, [], certificate);
    const join: Message = {
      ...{ kind: 'join', certificate, name: 'Carol', relay: '', addresses: [], since: [] },
      signature: crypto.sign(keys.signingSeed, subject),
    };
    await say(device, seedOf(mallory), keys.seal, join);
    assert.deepEqual(await names(), ['Alice', 'Mallory']);
    await say(await deviceOf(mallory), seedOf(mallory), keys.seal, join);
    assert.deepEqual(await names(), ['Alice', 'Mallory']);
    await say(device, signingSeed, keys.seal, join);
    await alice.until(async () => (await names()).includes('Carol'));
  });

  function* feedsOf(person: Person): Generator<FeedId> {
    for (const record of person.known()) {
      if (record.kind === 'local' || record.workspace !== workspace) continue;
      for (const bytes of deltasIn(record)) {
        const delta = readDelta(crypto, workspace as WorkspaceId, bytes);
        if (delta.ok) yield delta.value.feed;
      }
    }
  }
});
