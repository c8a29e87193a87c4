/** That this device is online, said to the others of a workspace, and theirs (T2). Lost where nobody listens. */
import { groupBy } from '../base/group.ts';
import type { DeviceId } from '../base/ids.ts';
import type { Engine } from '../sync/engine.ts';
import type { Message } from '../sync/messages.ts';
import type { Outgoing } from '../sync/outgoing.ts';
import { Lane } from '../sync/ports.ts';
import type { Hub } from './hub.ts';
import type { Peers } from './peers.ts';

export class Presence {
  readonly #hub: Pick<Hub, 'clock' | 'emit' | 'transport'>;
  readonly #engine: Engine;
  readonly #peers: Peers;
  readonly #dispatch: (out: readonly Outgoing[]) => void;

  constructor(
    hub: Pick<Hub, 'clock' | 'emit' | 'transport'>,
    engine: Engine,
    peers: Peers,
    dispatch: (out: readonly Outgoing[]) => void,
  ) {
    this.#hub = hub;
    this.#engine = engine;
    this.#peers = peers;
    this.#dispatch = dispatch;
  }

  beat(state: 0 | 1 | 2, answer: boolean): void {
    const { session } = this.#engine;
    const direct = session.devices.filter((device) => session.reach(device) === 'direct');
    const others = session.devices.filter(
      (device) => !direct.includes(device) && this.#peers.relayOf(device) !== undefined,
    );
    this.greet(direct, 'direct', state, answer);
    this.greet(others, 'relay', state, answer);
  }

  /** K2: where this device is, and that it is there, is not for who is out. */
  greet(to: readonly DeviceId[], path: 'direct' | 'relay', state: 0 | 1 | 2, answer = false): void {
    const { session } = this.#engine;
    const message: Message = { kind: 'presence', state, addresses: this.#hub.transport.listening.slice(0, 16), answer };
    const members = to.filter((device) => !session.isGone(device));
    for (const [under, devices] of groupBy(members, (device) => session.told.epochFor(device))) {
      this.#dispatch([{ to: devices, path, message, lane: Lane.control, ephemeral: true, under }]);
    }
  }

  heard(from: DeviceId, path: 'direct' | 'relay', message: Message & { kind: 'presence' }): void {
    const before = this.#peers.isOnline(from);
    this.#peers.heardFrom(from, message.state === 0);
    this.#peers.learnAddresses(from, message.addresses);
    if (message.answer) this.greet([from], path, 1);
    const now = this.#hub.clock.now();
    if (message.state !== 0 && path === 'relay')
      this.#dispatch(before ? this.#engine.heardBeat(from, now) : this.#engine.session.greet(from, now));
    if (before !== this.#peers.isOnline(from)) this.#hub.emit({ type: 'workspaces' });
  }
}
