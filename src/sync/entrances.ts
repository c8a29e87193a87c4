/** The control deltas that let each device in, whatever their verdict, and what rests on them (I4). */
import { filterGroups, push } from '../base/group.ts';
import type { DeviceId, WorkspaceId } from '../base/ids.ts';
import type { Crypto } from '../crypto/crypto.ts';
import { readControl } from './control.ts';
import { isGenesis, type Delta } from './delta.ts';
import { inPast, type Node } from './graph.ts';

export class Entrances {
  readonly #crypto: Crypto;
  readonly #workspace: WorkspaceId;
  readonly #byDevice = new Map<DeviceId, Node[]>();

  constructor(crypto: Crypto, workspace: WorkspaceId) {
    this.#crypto = crypto;
    this.#workspace = workspace;
  }

  /** A control delta is here. */
  note(node: Node): void {
    if (!LETS_IN.has(node.delta.kind)) return;
    const control = readControl(this.#crypto, node.delta);
    if (!control || !('certificates' in control)) return;
    for (const { device } of control.certificates) {
      push(this.#byDevice, device, node);
    }
  }

  /** D8: these are as if they had never come. */
  withdraw(nodes: ReadonlySet<Node>): void {
    filterGroups(this.#byDevice, (node) => !nodes.has(node));
  }

  of(device: DeviceId): readonly Node[] {
    return this.#byDevice.get(device) ?? NONE;
  }

  /** Whether a device may write here: some control delta lets it in. */
  has(device: DeviceId): boolean {
    return this.#byDevice.has(device);
  }

  devices(): Iterable<DeviceId> {
    return this.#byDevice.keys();
  }

  /** The first entry of a feed has in its past who lets its device in. */
  isLetIn(delta: Delta, deps: readonly Node[]): boolean {
    if (isGenesis(delta)) return (delta.id as string) === this.#workspace;
    return this.rests(deps, delta.device);
  }

  /** Whether a delta upon these would have in its past what lets a device in. */
  rests(deps: readonly Node[], device: DeviceId): boolean {
    return this.of(device).some((entrance) => deps.some((dep) => dep === entrance || inPast(entrance, dep)));
  }
}

/** Kinds of control deltas that bring certificates of devices. */
const LETS_IN: ReadonlySet<string> = new Set(['genesis', 'admit', 'addDevice']);
const NONE: readonly Node[] = [];
