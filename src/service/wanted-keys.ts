/** Keys of a workspace that are not here, of which something has come, or content lies here (K1): they are asked for, and taken when they come. */
import type { DeviceId } from '../base/ids.ts';
import type { Engine } from '../sync/engine.ts';
import type { EpochTag } from '../sync/epoch.ts';
import type { Message } from '../sync/messages.ts';
import type { Outgoing } from '../sync/outgoing.ts';
import type { Hub } from './hub.ts';
import type { Keyring } from './keyring.ts';

export interface WantedKeysOptions {
  readonly hub: Pick<Hub, 'clock' | 'commit' | 'changed' | 'transport'>;
  readonly engine: Engine;
  readonly keyring: Keyring;
  dispatch(out: readonly Outgoing[]): void;
  /** More can be opened than before. */
  onKey(): void;
}

export class WantedKeys {
  readonly #options: WantedKeysOptions;

  constructor(options: WantedKeysOptions) {
    this.#options = options;
  }

  /** Something came under an epoch whose key is not here (K1), or not any more (K4). */
  lockedOut(from: DeviceId, path: 'direct' | 'relay', epoch: EpochTag): void {
    const { engine, hub } = this.#options;
    this.#options.dispatch(engine.lockedOut(from, path, epoch, hub.clock.now()).out);
  }

  /** Of content from before this device was let in (F1): any member boxes it to who is one now (K1). */
  want(epoch: EpochTag): void {
    const { engine, hub } = this.#options;
    const { devices } = engine.session;
    const direct = devices.filter((device) => hub.transport.reach(device) === 'direct');
    // What cannot go out is not to count as asked.
    const isByRelay = direct.length === 0 && hub.transport.relayState.state === 'connected';
    for (const device of isByRelay ? devices : direct)
      this.#options.dispatch(engine.askForKey(device, isByRelay ? 'relay' : 'direct', epoch, hub.clock.now()));
  }

  async came(message: Message & { kind: 'key' }): Promise<void> {
    const { engine, hub, keyring } = this.#options;
    const came = engine.takeKey(message);
    if (!came) return;
    if (came.isLasting) keyring.take(came.key);
    await hub.commit([]);
    hub.changed();
    this.#options.onKey();
  }
}
