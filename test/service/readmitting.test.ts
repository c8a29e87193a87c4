/** L7: the member's side of a return, of whoever asks more than he should. */
import assert from 'node:assert/strict';
import type { WorkspaceId } from '../../src/base/ids.ts';
import { nodeCrypto } from '../../src/crypto/node/crypto.ts';
import type { Hub } from '../../src/service/hub.ts';
import { Readmitting } from '../../src/service/readmitting.ts';
import type { SharedWorkspace } from '../../src/service/shared-workspace.ts';
import type { Message } from '../../src/sync/messages.ts';
import { returnSubject } from '../../src/sync/way-back.ts';
import { seededRandom } from '../fakes/seeded-random.ts';
import { makePerson } from '../sim/people.ts';

describe('A device that comes back', () => {
  const crypto = nodeCrypto(seededRandom('readmitting'));
  const [self] = makePerson(crypto, 'Alice', 1).devices;
  const [back] = makePerson(crypto, 'Bob', 1).devices;
  const id = '0a'.repeat(32) as WorkspaceId;

  it('L7 is brought the whole copy once a minute, however often it asks', async () => {
    let now = 0;
    let [answered, served] = [0, 0];
    const hub = {
      ...{ crypto, identity: self, clock: { now: () => now } },
      transport: { send: () => (answered++, true) },
    } as unknown as Hub;
    const record = { certificate: back!.certificate, letIn: { delta: { bytes: new Uint8Array(3) } } };
    const workspace = {
      ...{ id, device: self!.device, peers: { meet: () => undefined } },
      replica: { people: { wasDropped: () => true }, isDurable: () => true, size: 1 },
      roster: {
        ...{ name: 'Apollo', gone: new Map(), goneRecords: new Map() },
        ...{ devices: new Set([back!.device]), records: new Map([[back!.device, record]]) },
      },
      serveByRelay: () => served++,
    } as unknown as SharedWorkspace;
    const { bytes: certificate } = back!.certificate;
    const signature = crypto.sign(back!.signer.seed, returnSubject(id, [], certificate));
    const join: Message & { kind: 'join' } = {
      ...{ kind: 'join', certificate, name: 'Bob', relay: '', addresses: [], since: [], signature },
    };
    const readmitting = new Readmitting(hub, workspace);
    for (let i = 0; i < 100; i++) await readmitting.asked(back!.device, join);
    assert.deepEqual([answered, served], [100, 1]);
    now = 60_000;
    await readmitting.asked(back!.device, join);
    assert.deepEqual([answered, served], [101, 2]);
    now = 1_000; // its clock was set back
    for (let i = 0; i < 2; i++) await readmitting.asked(back!.device, join);
    assert.deepEqual([answered, served], [103, 3]);
  });
});
