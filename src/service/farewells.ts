/**
 * The words by which this person is out of a workspace (K2), for those of his devices that may not have heard: one that was away may reach none of the
 * members, and only another of its own, whose copy is gone. Each is told under the seal of the pair (`own-devices.ts`) until it says that it has no copy.
 *
 * Kept in local state: `out/<workspace>` = [delta bytes, [device that is to be told …]].
 */
import { toHex } from '../base/bytes.ts';
import type { DeviceId, WorkspaceId } from '../base/ids.ts';
import { KEY_BYTES } from '../crypto/crypto.ts';
import { asArray, asBytes, asList, type Value } from '../protocol/codec.ts';
import { MAX_DELTA_BYTES, MAX_OWN_DEVICES } from '../protocol/limits.ts';
import { idBytes } from '../sync/delta.ts';
import type { Node } from '../sync/graph.ts';
import type { Message } from '../sync/messages.ts';
import type { Hub } from './hub.ts';
import type { SharedWorkspace } from './shared-workspace.ts';

export type Farewell = Message & { kind: 'out' };

/** Words about the person, and so about all of his devices. */
const ABOUT_A_PERSON: ReadonlySet<string> = new Set(['remove', 'leave']);
const PREFIX = 'out/';

interface Untold {
  readonly word: Uint8Array;
  readonly devices: readonly DeviceId[];
}

export class Farewells {
  readonly #hub: Hub;

  constructor(hub: Hub) {
    this.#hub = hub;
  }

  /** The copy is about to go: to disk with the next commit. */
  keep({ id, roster, engine, device: self }: SharedWorkspace, { delta }: Node): void {
    if (!ABOUT_A_PERSON.has(delta.kind)) return;
    const { account } = this.#hub.identity;
    const devices = [...roster.certificates.values()]
      .filter((certificate) => certificate.account === account && certificate.device !== self)
      .map(({ device }) => device)
      .filter((device) => !engine.session.knowsItIsOut(device));
    this.#put(id, { word: delta.bytes, devices: devices.slice(0, MAX_OWN_DEVICES) });
  }

  /** This device is in it again. */
  forget(workspace: WorkspaceId): void {
    this.#hub.local.drop(PREFIX + workspace);
  }

  /** What a device is to be told. */
  for(device: DeviceId): readonly Farewell[] {
    const found: Farewell[] = [];
    for (const [id, value] of this.#hub.local.under(PREFIX)) {
      const untold = readUntold(value);
      if (untold?.devices.includes(device) !== true) continue;
      found.push({ kind: 'out', workspace: id as WorkspaceId, word: untold.word });
    }
    return found;
  }

  /** It has no copy. */
  async told(device: DeviceId, workspace: WorkspaceId): Promise<void> {
    const untold = readUntold(this.#hub.local.get(PREFIX + workspace));
    if (!untold?.devices.includes(device)) return;
    this.#put(workspace, { ...untold, devices: untold.devices.filter((other) => other !== device) });
    await this.#hub.commit([]);
  }

  #put(workspace: WorkspaceId, { word, devices }: Untold): void {
    if (devices.length === 0) return this.forget(workspace);
    this.#hub.local.put(PREFIX + workspace, [word, devices.map(idBytes)]);
  }
}

function readUntold(value: Value | undefined): Untold | undefined {
  const f = asArray(value, 2);
  const word = asBytes(f?.[0], 1, MAX_DELTA_BYTES);
  const devices = asList(f?.[1], MAX_OWN_DEVICES, (device) => asBytes(device, KEY_BYTES));
  return word && devices && { word, devices: devices.map((device) => toHex(device) as DeviceId) };
}
