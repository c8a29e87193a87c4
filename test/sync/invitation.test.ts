import assert from 'node:assert/strict';
import fc from 'fast-check';
import { concatBytes, fromBase64Url, toBase64Url, toHex } from '../../src/base/bytes.ts';
import { FORMAT } from '../../src/base/format.ts';
import type { AccountId, DeltaId, DeviceId, WorkspaceId } from '../../src/base/ids.ts';
import { nodeCrypto } from '../../src/crypto/node/crypto.ts';
import { decode, encode, type Value } from '../../src/protocol/codec.ts';
import { Role } from '../../src/sync/control.ts';
import {
  invitationFile,
  invitationKeys,
  invitationSeal,
  joinSubject,
  readInvitation,
  writeInvitation,
  type Invitation,
} from '../../src/sync/invitation.ts';
import { safetyNumber } from '../../src/sync/safety-number.ts';
import { seededRandom } from '../fakes/seeded-random.ts';

const crypto = nodeCrypto(seededRandom('invitation'));
const id = <T extends string>() => toHex(crypto.randomBytes(32)) as T;
const INVITATION: Invitation = {
  workspace: id<WorkspaceId>(),
  invite: id<DeltaId>(),
  workspaceName: 'Apollo',
  inviterName: 'Alice Ångström',
  inviter: id<AccountId>(),
  role: Role.participant,
  expires: 1_800_000_000_000,
  secret: crypto.randomBytes(32),
  routes: [
    {
      device: id<DeviceId>(),
      relay: 'coterie-relay://relay.example:2492/key/token',
      addresses: ['192.168.1.7:2492', '[fe80::1]:2492'],
    },
    { device: id<DeviceId>(), relay: undefined, addresses: [] },
  ],
};
const TEXT = writeInvitation(crypto, INVITATION);
const LINK = `vscode://coterie.coterie/join#${TEXT}`;
const wrapped = (text: string, columns: number, end: string) =>
  text.match(new RegExp(`.{1,${columns}}`, 'g'))!.join(end);

function assertReads(text: string): void {
  const read = readInvitation(crypto, text);
  assert.ok(read.ok, text.slice(0, 60));
  assert.deepEqual(read.value, INVITATION);
}

function faultOf(text: string): string {
  const read = readInvitation(crypto, text);
  return read.ok ? 'none' : read.error.tag;
}

function resealed(change: (fields: readonly Value[]) => readonly Value[]): string {
  const decoded = decode(fromBase64Url(TEXT)!.subarray(0, -4));
  assert.ok(decoded.ok);
  const body = encode(change(decoded.value as readonly Value[]));
  return toBase64Url(concatBytes(body, crypto.sha256(body).subarray(0, 4)));
}

describe('N1 invitations', () => {
  it('N1 as bare text, in a link, in a file, with blanks and line ends of every kind around', () => {
    for (const text of [TEXT, LINK, invitationFile(TEXT)]) {
      for (const around of ['', ' ', '\n', '\r\n', '\t \r\n\n']) assertReads(around + text + around);
    }
    assertReads(invitationFile(TEXT).replaceAll('\n', '\r\n'));
    assertReads(`Join us!\n${LINK}\nSee you there`);
    assertReads(`<${LINK}>`);
    assertReads(`(“${LINK}”).`);
    assertReads(LINK.replace('#', '?'));
  });

  it('N1 broken into lines by a mail program, and quoted', () => {
    for (const columns of [40, 64, 76, 100]) {
      for (const end of ['\n', '\r\n', ' \n  ']) {
        assertReads(wrapped(TEXT, columns, end));
        assertReads(wrapped(LINK, columns, end));
        assertReads(invitationFile(wrapped(TEXT, columns, end)));
        assertReads(
          invitationFile(wrapped(TEXT, columns, end))
            .split('\n')
            .map((line) => `> ${line}`)
            .join('\n'),
        );
      }
    }
  });

  it('N1 cut short or mistyped it is damaged', () => {
    for (let kept = 70; kept < TEXT.length; kept += 7) assert.equal(faultOf(TEXT.slice(0, kept)), 'damaged');
    for (const kept of [0, 5, 30, 63])
      assert.equal(faultOf(LINK.slice(0, LINK.length - TEXT.length + kept)), 'damaged');
    assert.equal(faultOf(invitationFile(TEXT.slice(0, 100))), 'damaged');
    assert.equal(faultOf(invitationFile('')), 'damaged');
    for (let at = 0; at < TEXT.length; at += 5) {
      const other = TEXT[at] === 'A' ? 'B' : 'A';
      assert.equal(faultOf(TEXT.slice(0, at) + other + TEXT.slice(at + 1)), 'damaged', `character ${at}`);
    }
  });

  it('N1 something else is not an invitation', () => {
    for (const text of [
      '',
      'hello',
      'https://example.org/meeting/123',
      'https://teams.example/l/meetup-join/19%3a',
      '{"a":1}',
      'x'.repeat(20_000),
    ]) {
      assert.equal(faultOf(text), 'notAnInvitation', text.slice(0, 40));
    }
  });

  it('N1 of a newer version it is newer, whatever follows', () => {
    assert.equal(faultOf(resealed((fields) => fields.with(0, FORMAT + 1))), 'newer');
    assert.equal(faultOf(resealed(() => [7, 'what', ['ever'], new Uint8Array(40)])), 'newer');
  });

  it('N1 with a sound check but a bad field it is damaged', () => {
    const bad: readonly [number, Value][] = [
      [0, 'zero'],
      [1, new Uint8Array(31)],
      [2, null],
      [3, 'n'.repeat(300)],
      [5, 'text'],
      [6, 3],
      [7, -1],
      [8, new Uint8Array(16)],
      [9, [[new Uint8Array(32), '']]],
      [9, Array.from({ length: 17 }, () => [new Uint8Array(32), '', []])],
    ];
    for (const [at, value] of bad)
      assert.equal(faultOf(resealed((fields) => fields.with(at, value))), 'damaged', `field ${at}`);
    assert.equal(faultOf(resealed((fields) => fields.slice(0, 9))), 'damaged');
    assert.equal(faultOf(resealed((fields) => [...fields, null])), 'damaged');
  });

  it('N1 whatever is pasted, the answer is a Result', () => {
    const letters = fc.string({ unit: fc.constantFrom(...'ABCxyz019-_=#?/ \n'), maxLength: 300 });
    fc.assert(
      fc.property(fc.oneof(fc.string({ unit: 'binary', maxLength: 300 }), letters), (text) => {
        assert.equal(readInvitation(crypto, text).ok, false);
        readInvitation(crypto, LINK + text);
      }),
      { seed: 6, numRuns: 1000 },
    );
  });

  it('N1 however many ways lead to the inviter, what is written can be read', () => {
    const address = (i: number) => `${'host'.repeat(12)}${i}.example.org:2492`;
    const routes = Array.from({ length: 20 }, (_, i) => ({
      device: id<DeviceId>(),
      relay: `coterie-relay://${'r'.repeat(200)}${i}:2492/key`,
      addresses: Array.from({ length: 20 }, (__, j) => address(j)),
    }));
    const read = readInvitation(crypto, writeInvitation(crypto, { ...INVITATION, routes }));
    assert.ok(read.ok);
    assert.ok(read.value.routes.length > 0);
    assert.equal(read.value.routes[0]!.device, routes[0]!.device);
  });

  it('N1 the keys follow from the secret; members need the seal key alone', () => {
    const keys = invitationKeys(crypto, INVITATION.secret);
    assert.deepEqual(invitationKeys(crypto, INVITATION.secret), keys);
    assert.deepEqual(invitationSeal(crypto, keys.seal.key), keys.seal);
    assert.notDeepEqual(keys.signingSeed, keys.seal.key);
  });

  it('N2 what a joiner signs holds for one workspace, one invitation, one certificate, and what it is said after', () => {
    const { signingSeed, publicKey } = invitationKeys(crypto, INVITATION.secret);
    const { workspace, invite } = INVITATION;
    const certificate = crypto.randomBytes(200);
    const [first, second] = [id<DeltaId>(), id<DeltaId>()];
    const signature = crypto.sign(signingSeed, joinSubject(workspace, invite, [first], certificate));
    const stands = (...parts: Parameters<typeof joinSubject>) =>
      crypto.verify(publicKey, joinSubject(...parts), signature);
    assert.ok(stands(workspace, invite, [first], certificate));
    assert.ok(!stands(id<WorkspaceId>(), invite, [first], certificate));
    assert.ok(!stands(workspace, id<DeltaId>(), [first], certificate));
    for (const since of [[], [second], [first, second]]) assert.ok(!stands(workspace, invite, since, certificate));
    assert.ok(!stands(workspace, invite, [first], crypto.randomBytes(200)));
  });
});

describe('I3 safety numbers', () => {
  it('I3 is the same for both, another for any other two, twelve groups of five digits', () => {
    const accounts = Array.from({ length: 20 }, () => id<AccountId>());
    const numbers = new Set<string>();
    for (const [i, a] of accounts.entries()) {
      for (const b of accounts.slice(i)) {
        const number = safetyNumber(crypto, a, b);
        assert.equal(number, safetyNumber(crypto, b, a));
        assert.match(number, /^\d{5}( \d{5}){11}$/);
        numbers.add(number);
      }
    }
    assert.equal(numbers.size, (20 * 21) / 2);
  });
});
