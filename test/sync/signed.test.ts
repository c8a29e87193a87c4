/** K5: whose a message is that comes by a relay, whatever the relay says of it, and whoever holds the key. */
import assert from 'node:assert/strict';
import type { FeedId, WorkspaceId } from '../../src/base/ids.ts';
import { nodeCrypto } from '../../src/crypto/node/crypto.ts';
import { encode } from '../../src/protocol/codec.ts';
import { openMessage, sealMessage, type SealKey } from '../../src/sync/envelope.ts';
import { encodeMessage, type Message } from '../../src/sync/messages.ts';
import { openSaid, sealSaid } from '../../src/sync/signed.ts';
import { MESSAGES } from '../fakes/every-kind.ts';
import { seededRandom } from '../fakes/seeded-random.ts';
import { threePeople, type Desk } from './office.ts';
import { sealedBytes, sealedLie, signed } from './sealed-lies.ts';
import { Team } from './team.ts';

const crypto = nodeCrypto(seededRandom('signed'));
const team = new Team('signed');
const { alice, bob } = { alice: team.alice, bob: team.person('Bob') };
const key: SealKey = { tag: '0011223344556677', key: crypto.randomBytes(32) };
const inOne: SealKey = { ...key, workspace: '01'.repeat(32) as WorkspaceId };
const word: Message = { kind: 'presence', state: 1, addresses: [], answer: true };
const from = alice.device;

describe('K5 who has sent it', () => {
  it('K5 every kind is opened on the path that it was sealed for, to the same message, whatever the seal', () => {
    for (const seal of [key, inOne])
      for (const message of MESSAGES)
        for (const path of ['direct', 'relay'] as const) {
          const bytes = sealSaid(crypto, alice.signer, seal, path, message);
          assert.deepEqual(openSaid(crypto, seal, { from, path, bytes }), { message });
        }
  });

  it('K5 by a relay only, and as the protocol says: directly nothing is signed', () => {
    const said = encodeMessage(from, word);
    for (const seal of [key, inOne]) {
      const plainOf = (path: 'direct' | 'relay'): Uint8Array | undefined =>
        openMessage(crypto, seal, sealSaid(crypto, alice.signer, seal, path, word));
      assert.deepEqual(plainOf('direct'), said);
      assert.deepEqual(plainOf('relay'), signed(crypto, seal, alice.signer.seed, said));
    }
  });

  it('K5 each form is refused on the other path', () => {
    const bytesOf = (path: 'direct' | 'relay') => sealSaid(crypto, alice.signer, key, path, word);
    assert.deepEqual(openSaid(crypto, key, { from, path: 'direct', bytes: bytesOf('relay') }), { message: undefined });
    assert.deepEqual(openSaid(crypto, key, { from, path: 'relay', bytes: bytesOf('direct') }), { message: undefined });
  });

  it('K5 what another has signed, or nobody, or as somebody else, is refused', () => {
    const lie = { under: key, path: 'relay', seed: bob.signer.seed } as const;
    const heard = (bytes: Uint8Array, by = from) => openSaid(crypto, key, { from: by, path: 'relay', bytes })?.message;
    assert.equal(heard(sealedLie(crypto, lie, from, word)), undefined, 'in her name, signed by him');
    assert.equal(heard(sealedLie(crypto, lie, from, word), bob.device), undefined, 'in her name, sent by him');
    const hers = sealSaid(crypto, alice.signer, key, 'relay', word);
    assert.equal(heard(hers, bob.device), undefined, 'hers, which he has sent');
    const said = encodeMessage(from, word);
    for (const signature of [new Uint8Array(64), new Uint8Array(63), new Uint8Array(0)])
      assert.equal(heard(sealMessage(crypto, key, encode([said, signature]))), undefined);
    const sound = signed(crypto, key, alice.signer.seed, said);
    for (let at = 0; at < sound.length; at++) {
      const changed = sound.slice();
      changed[at]! ^= 1;
      assert.equal(heard(sealMessage(crypto, key, changed)), undefined, `byte ${at}`);
      assert.equal(heard(sealMessage(crypto, key, sound.subarray(0, at))), undefined, `${at} bytes`);
    }
    assert.deepEqual(heard(sealMessage(crypto, key, sound)), word);
    assert.deepEqual(heard(hers), word);
  });

  it('K5 a signature is good in no other seal, no other workspace, and outside of none', () => {
    const seals: readonly SealKey[] = [
      key,
      { ...key, tag: '7766554433221100' },
      inOne,
      { ...key, workspace: '02'.repeat(32) as WorkspaceId },
    ];
    const said = encodeMessage(from, word);
    for (const made of seals)
      for (const seal of seals) {
        const bytes = sealMessage(crypto, seal, signed(crypto, made, alice.signer.seed, said));
        assert.equal(openSaid(crypto, seal, { from, path: 'relay', bytes })?.message !== undefined, made === seal);
      }
    assert.equal(
      openSaid(crypto, inOne, {
        from,
        path: 'relay',
        bytes: sealedBytes(crypto, { under: key, path: 'relay', seed: alice.signer.seed }, said),
      }),
      undefined,
    );
  });
});

describe('K5 whoever runs somebody’s relay and holds the key', () => {
  /** Carol's desk runs it: in whose name, to whom. */
  function forge(by: Desk, name: Desk, to: Desk, message: Message): void {
    const {
      team: { crypto: its },
    } = by.office;
    const lie = { under: by.engine.keys.epoch!, path: 'relay', seed: by.person.signer.seed } as const;
    to.take({ from: name.device, path: 'relay', bytes: sealedLie(its, lie, name.device, message) });
  }

  it('K5 does not make one believe that another holds what he does not: it goes to him all the same', () => {
    const { office, alice: ann, bob: ben, carol } = threePeople('K5 forged have');
    office.link(ann, ben, carol);
    office.rest();
    office.leave(ann);
    const vector = [...ben.engine.replica.vector().keys()].map((feed) => ({
      ...{ feed, seq: Number.MAX_SAFE_INTEGER, tip: '00'.repeat(8) },
    }));
    const known = ben.engine.session.memory(ann.device).known;
    forge(carol, ann, ben, { kind: 'have', vector, answer: false, root: '', needsCopy: false });
    forge(carol, ann, ben, { kind: 'got', heads: vector.map(({ feed, seq }) => headFor(feed, seq)) });
    assert.deepEqual(ben.engine.session.memory(ann.device).known, known);
    assert.equal(ben.unsound.length, 2);
    ben.post('for Ann, too');
    office.pump();
    office.comeBack(ann);
    assert.ok(ann.texts().includes('for Ann, too'));
    assert.deepEqual(ann.unsound, []);
  });

  it('K5 gives nobody a base, a key or a delta in another’s name', () => {
    const { office, alice: ann, bob: ben, carol } = threePeople('K5 forged base');
    office.link(ann, ben, carol);
    for (let n = 0; n < 5; n++) ann.post(`ann ${n}`);
    office.rest();
    office.leave(ben);
    const { root, parts } = ann.engine.replica.base.parts();
    ben.engine.renewFrom({ from: ann.device, generation: 1 });
    for (const [part, bytes] of parts.entries())
      forge(carol, ann, ben, { kind: 'base', root, part, parts: parts.length, bytes });
    assert.equal(ben.parts.length, 0);
    assert.ok(ben.engine.renewal, 'it still waits for hers');
    const runs = [[[...ann.engine.replica.nodes()][0]!.delta.bytes]];
    forge(carol, ann, ben, { kind: 'deltas', runs });
    assert.equal(ben.unsound.length, parts.length + 1);
  });

  it('K5 is heard in his own name', () => {
    const { office, bob: ben, carol } = threePeople('K5 own name');
    office.link(ben, carol);
    forge(carol, carol, ben, word);
    assert.deepEqual(ben.unsound, []);
  });
});

function headFor(feed: FeedId, seq: number): { device: string; generation: number; seq: number } {
  const [device, generation] = feed.split('.');
  return { device: device!.slice(0, 16), generation: Number(generation), seq };
}
