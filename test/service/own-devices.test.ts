import assert from 'node:assert/strict';
import { nodeCrypto } from '../../src/crypto/node/crypto.ts';
import { issueCertificate } from '../../src/protocol/certificate.ts';
import { MAX_OWN_DEVICES } from '../../src/protocol/limits.ts';
import type { Farewells } from '../../src/service/farewells.ts';
import type { Hub } from '../../src/service/hub.ts';
import { LocalState } from '../../src/service/local-state.ts';
import { OwnDevices } from '../../src/service/own-devices.ts';
import type { SharedWorkspace } from '../../src/service/shared-workspace.ts';
import { decodeMessage, encodeMessage, type OwnDevice } from '../../src/sync/messages.ts';

describe('I2 a person’s own devices', () => {
  const crypto = nodeCrypto();
  const accountSeed = crypto.randomBytes(32);
  const certificateOf = (agreementSecret = crypto.randomBytes(32), signingSeed = crypto.randomBytes(32)) =>
    issueCertificate(crypto, accountSeed, {
      signingSeed,
      agreementKey: crypto.agreementKeyOf(agreementSecret),
      name: '',
      created: 1,
    });
  const word = (name: string): OwnDevice => ({ certificate: certificateOf().bytes, name, relay: '', addresses: [] });

  function devicesOf(more: Partial<Hub> = {}, workspaces: readonly unknown[] = []): OwnDevices {
    const [agreementSecret, seed] = [crypto.randomBytes(32), crypto.randomBytes(32)];
    const certificate = certificateOf(agreementSecret, seed);
    const { account, device } = certificate;
    const hub = {
      crypto,
      local: new LocalState(),
      identity: { account, device, certificate, agreementSecret, signer: { device, seed } },
      transport: { listening: [], reach: () => 'none', send: () => false },
      clock: { now: () => 1, wakeAt: () => () => undefined },
      deviceName: () => 'this one',
      relay: () => undefined,
      commit: async () => undefined,
      changed: () => undefined,
      emit: () => undefined,
      ...more,
    } as unknown as Hub;
    return new OwnDevices({
      hub,
      farewells: { for: () => [] } as unknown as Farewells,
      workspaces: () => workspaces as readonly SharedWorkspace[],
      entered: async () => true,
      takenOut: () => false,
      renamed: () => undefined,
    });
  }

  it('I2 a device that is welcomed can read of as many as there may be', async () => {
    const devices = devicesOf();
    await devices.learn(Array.from({ length: MAX_OWN_DEVICES + 5 }, (_, i) => word(`number ${i}`)));
    const certificate = certificateOf();
    const all = await devices.welcome({ certificate, name: 'one more', relay: '', addresses: [] });
    const read = decodeMessage(encodeMessage(certificate.device, { kind: 'devices', devices: all }));
    assert.deepEqual(read.ok && read.value.message.kind === 'devices' && read.value.message.devices.length, all.length);
  });

  it('I2 those that were taken out leave room for others, though somebody has made up as many as there may be', async () => {
    const devices = devicesOf();
    await devices.learn(Array.from({ length: MAX_OWN_DEVICES + 5 }, (_, i) => word(`made up ${i}`)));
    const madeUp = devices.infos().filter(({ self }) => !self);
    assert.equal(madeUp.length, MAX_OWN_DEVICES - 1);
    for (const { device } of madeUp) await devices.remove(device);
    await devices.learn([word('the new one')]);
    assert.deepEqual(
      devices.infos().map(({ name }) => name),
      ['this one', 'the new one'],
    );
  });

  it('I2 I4 one that is taken out while others are let in is not let in after them', async () => {
    const letIn: number[] = [];
    let meanwhile = async (): Promise<unknown> => undefined;
    const workspace = {
      roster: { devices: new Map(), gone: new Map(), records: new Map() },
      engine: {
        keys: { box: () => ({ id: new Uint8Array(32), boxes: [] }) },
        session: { memory: () => ({ known: [0] }) },
      },
      peers: { meet: () => undefined },
      control: async () => {
        letIn.push(letIn.length);
        await meanwhile();
      },
    };
    const devices = devicesOf({}, [workspace]);
    await devices.learn([word('first'), word('second')]);
    const second = devices.infos().find(({ name }) => name === 'second')!;
    meanwhile = () => devices.remove(second.device);
    await devices.spread();
    assert.equal(letIn.length, 1);
  });

  it('I2 a clock that is set back keeps another device from hearing nothing, and none in the future', async () => {
    let [now, submitted] = [3_600_000, 0];
    const transport = {
      ...{ listening: [], reach: () => 'none', send: () => false },
      submit: async () => (submitted++, ['ok']),
    } as unknown as Hub['transport'];
    const devices = devicesOf({ transport, clock: { now: () => now, wakeAt: () => () => undefined } });
    const other = certificateOf();
    await devices.learn([{ certificate: other.bytes, name: 'other', relay: 'there', addresses: [] }]);
    const call = async () => {
      devices.heardFrom(other.device);
      for (let times = 0; times < 2; times++) await devices.rename(other.device, 'renamed');
      return [submitted, devices.infos()[1]!.lastHeard];
    };
    assert.deepEqual(await call(), [1, 3_600_000]);
    now = 1_000;
    assert.deepEqual(await call(), [2, 1_000]);
  });
});
