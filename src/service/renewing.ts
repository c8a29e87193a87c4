/**
 * A fresh copy of a workspace (L6): of one that has settled what others have in another way, or adds up to something else. One member's
 * device is asked for its base; who goes away, or has none, is given up after a while.
 */
import type { DeviceId } from '../base/ids.ts';
import { ServiceError } from './api.ts';
import type { Hub } from './hub.ts';
import type { SharedWorkspace } from './shared-workspace.ts';

type RenewalHub = Pick<Hub, 'clock' | 'commit' | 'emit'>;

/** What of a workspace it takes. */
type RenewedWorkspace = Pick<SharedWorkspace, 'id' | 'nameOf' | 'renewFrom'> & {
  readonly roster: Pick<SharedWorkspace['roster'], 'name'>;
  readonly replica: { readonly people: Pick<SharedWorkspace['replica']['people'], 'accountOf'> };
  readonly peers: Pick<SharedWorkspace['peers'], 'isOnline'>;
  readonly engine: Pick<SharedWorkspace['engine'], 'renewal' | 'basePartsHere' | 'freshCopyFrom'>;
};

/** In which another part of it should have come. */
export const RENEWAL_PATIENCE_MS = 60_000;

export class Renewing {
  readonly #hub: RenewalHub;
  readonly #workspace: RenewedWorkspace;
  #cancel: (() => void) | undefined;

  constructor(hub: RenewalHub, workspace: RenewedWorkspace) {
    this.#hub = hub;
    this.#workspace = workspace;
  }

  /** Answers whose copy it will be. Throws ServiceError('nobodyOnline'), and StoreError. */
  async ask(): Promise<string> {
    const { name } = this.#workspace.roster;
    const { engine, peers } = this.#workspace;
    const from = engine.freshCopyFrom((device) => peers.isOnline(device));
    if (from === undefined) throw new ServiceError('nobodyOnline', { name });
    this.#workspace.renewFrom(from);
    await this.#hub.commit([]);
    this.watch();
    return this.#nameOf(from);
  }

  /** Of one that is asked for, after a restart too. */
  watch(): void {
    this.#cancel?.();
    const { renewal } = this.#workspace.engine;
    if (!renewal) return;
    const before = this.#here;
    this.#cancel = this.#hub.clock.wakeAt(this.#hub.clock.now() + RENEWAL_PATIENCE_MS, () => {
      if (this.#workspace.engine.renewal?.from !== renewal.from) return;
      if (this.#here > before) this.watch();
      else this.#giveUp(renewal.from);
    });
  }

  stop(): void {
    this.#cancel?.();
  }

  get #here(): number {
    return this.#workspace.engine.basePartsHere?.here ?? 0;
  }

  #giveUp(from: DeviceId): void {
    this.#workspace.renewFrom(undefined);
    void this.#hub.commit([]).catch(() => undefined); // told by the queue
    const detail = { name: this.#workspace.roster.name, member: this.#nameOf(from) };
    this.#hub.emit({ type: 'notice', code: 'notRenewed', workspace: this.#workspace.id, detail });
  }

  #nameOf(device: DeviceId): string {
    const account = this.#workspace.replica.people.accountOf(device);
    return account === undefined ? '' : this.#workspace.nameOf(account);
  }
}
