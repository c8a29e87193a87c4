/**
 * Between the transport and the nouns it is for: what arrives is opened by the key that its tag names and handed to the workspace, the join
 * or the account that owns the key; whom to reach, and what senders may show, is told to the transport whenever it changes.
 */
import { inTurns, push } from '../base/group.ts';
import type { DeltaId, DeviceId, WorkspaceId } from '../base/ids.ts';
import { RELAY_MAX_CAPABILITIES } from '../protocol/limits.ts';
import { envelopeTag } from '../sync/envelope.ts';
import { capabilityOf } from '../sync/epoch.ts';
import { invitationSeal } from '../sync/invitation.ts';
import { senderMark, type Message } from '../sync/messages.ts';
import { StoreError, type Arrived, type RelayState, type Route } from '../sync/ports.ts';
import { openSaid } from '../sync/signed.ts';
import type { Account, AccountLock } from './account.ts';
import type { Continuing } from './continuing.ts';
import type { Hub } from './hub.ts';
import type { Joins } from './joins.ts';
import { LockedMessages } from './locked-messages.ts';
import type { Offers } from './offers.ts';
import type { Returning } from './returning.ts';
import { relayInfo } from './this-device.ts';
import type { SharedWorkspace } from './shared-workspace.ts';
import type { Workspaces } from './workspaces.ts';

/** Who a message comes to, by the seal that it is under. */
type Lock =
  | { readonly kind: 'account'; readonly of: AccountLock; readonly key: Uint8Array }
  | {
      readonly kind: 'epoch' | 'join' | 'return' | 'readmit';
      readonly workspace: WorkspaceId;
      readonly key: Uint8Array;
    }
  | { readonly kind: 'invite'; readonly workspace: WorkspaceId; readonly key: Uint8Array; readonly invite: DeltaId };

const ASKED: readonly Lock['kind'][] = ['invite', 'readmit'];
const ANSWERED: readonly Lock['kind'][] = ['join', 'return'];

export interface SwitchboardOptions {
  readonly hub: Hub;
  readonly workspaces: Workspaces;
  readonly joins: Joins;
  readonly account: Account;
  readonly returning: Returning;
  readonly continuing: Continuing;
  readonly offers: Offers;
  /** What came cannot go to disk now: true where it is acknowledged by itself when it can. */
  held(arrived: Arrived): boolean;
}

export class Switchboard {
  readonly #options: SwitchboardOptions;
  readonly #hub: Hub;
  readonly #lockedMessages = new LockedMessages();
  #lockCache: ReadonlyMap<string, readonly Lock[]> | undefined;
  #changePending = false;
  #closed = false;

  constructor(options: SwitchboardOptions) {
    this.#options = options;
    this.#hub = options.hub;
  }

  /** To the transport as it is now: it is another once this device has taken on another account. */
  listen(): void {
    const { workspaces } = this.#options;
    const { transport } = this.#hub;
    transport.onArrived((arrived) => void this.#arrived(arrived));
    transport.onReach(({ device, reach }) => this.#reached(device, reach));
    transport.onRelayState((state) => this.#relayChanged(state));
    transport.onGap(() => workspaces.each((workspace) => workspace.askEveryone()));
    transport.onListening(() => workspaces.each((workspace) => workspace.beat(1, false)));
    transport.setRelay(this.#hub.relay());
    this.apply();
  }

  close(): void {
    this.#closed = true;
  }

  // ---- what arrives -----------------------------------------------------------------------------------------------------

  async #arrived(arrived: Arrived): Promise<void> {
    if (this.#closed || this.#isLocked(arrived)) return;
    try {
      await this.#route(arrived);
    } catch (error) {
      if (error instanceof StoreError && this.#options.held(arrived)) return;
      // One message is at fault, ours or theirs: it must not stop the others.
      this.#hub.fault(error);
      // Not durable: a relay keeps it and gives it again.
      if (error instanceof StoreError) return;
    }
    arrived.handled();
  }

  /** K1: a member's, under an epoch that we have no key of yet. It waits for the key, which he is asked for; if it has one no more (K4), not. */
  #isLocked(arrived: Arrived): boolean {
    const { from, path } = arrived;
    const tag = envelopeTag(arrived.bytes);
    // Where its sender is not known in the workspace whose key it is, it may be for another, in which he is, and that key is lacking.
    if (tag === undefined || this.#hasLockOf(tag, from) || this.#opened(arrived)) return false;
    const workspaces = [...this.#sharedWith(from)];
    if (workspaces.length === 0) return false;
    const late = workspaces.find((workspace) => workspace.engine.keys.isErased(tag));
    if (late) arrived.handled();
    else this.#lockedMessages.hold(tag, arrived, this.#hub.clock.now());
    for (const workspace of late ? [late] : workspaces) workspace.lockedOut(from, path, tag);
    return true;
  }

  *#sharedWith(device: DeviceId): Generator<SharedWorkspace> {
    for (const { workspace } of this.#options.workspaces) if (workspace.isPeer(device)) yield workspace;
  }

  /** From time to time: what waits for a key that does not come is given up. */
  tick(): void {
    const senders = new Set(this.#lockedMessages.expire(this.#hub.clock.now()).map(({ from }) => from));
    for (const from of senders) for (const workspace of this.#sharedWith(from)) workspace.ask(from);
  }

  /** What can be opened now, and what is late after all (K4). */
  #unlock(): void {
    const isSettled = (tag: string, from: DeviceId) =>
      this.#hasLockOf(tag, from) ||
      [...this.#sharedWith(from)].some((workspace) => workspace.engine.keys.isErased(tag));
    for (const arrived of this.#lockedMessages.take(isSettled)) void this.#arrived(arrived);
  }

  #hasLockOf(tag: string, from: DeviceId): boolean {
    const isOfPeer = (workspace: WorkspaceId) =>
      this.#options.workspaces.get(workspace)?.workspace.isPeer(from) === true;
    return this.#locksOf(tag, from).some((lock) => lock.kind !== 'epoch' || isOfPeer(lock.workspace));
  }

  #locksOf(tag: string, from: DeviceId): readonly Lock[] {
    const known = this.#locks().get(tag);
    if (known) return known;
    for (const { id, engine } of this.#sharedWith(from)) {
      const pair = engine.sealKey(tag, from);
      if (pair) return [{ kind: 'epoch', workspace: id, key: pair.key }];
    }
    return [];
  }

  /**
   * What it says, where it is sound, and by what it opens: two workspaces have one key where a member of both has put that of the one into the other, or sent it there, and
   * it opens in the one that it is for (K5).
   */
  #opened(arrived: Arrived): { readonly lock: Lock; readonly message: Message | undefined } | undefined {
    const { from, bytes } = arrived;
    const tag = envelopeTag(bytes);
    for (const lock of tag === undefined ? [] : this.#locksOf(tag, from)) {
      const workspace = lock.kind === 'epoch' ? { workspace: lock.workspace } : {};
      const said = openSaid(this.#hub.crypto, { key: lock.key, ...workspace }, arrived);
      if (said) return { lock, ...said };
    }
    return undefined;
  }

  /** Which key, which workspace, which message: what fits nowhere, or is not of whom it is said to be, is dropped without a word. */
  async #route(arrived: Arrived): Promise<unknown> {
    const { workspaces, joins, account, returning } = this.#options;
    const { from, path } = arrived;
    const tag = envelopeTag(arrived.bytes);
    const opened = this.#opened(arrived);
    const message = opened?.message;
    if (!opened || !message) return undefined;
    // Said to somebody else who has asked by the same link, and given to this device by a relay.
    if (message.kind === 'declined' && message.to !== senderMark(this.#hub.identity.device)) return undefined;
    const lock = this.#sideOf(opened.lock, tag!, message);
    account.devices.heardFrom(from);
    if (lock.kind === 'account') return account.received(lock.of, from, message);
    if (lock.kind === 'epoch') return workspaces.get(lock.workspace)?.workspace.received(from, path, message, tag!);
    if (lock.kind === 'invite' && message.kind === 'join') {
      return workspaces.get(lock.workspace)?.inviting.asked(lock.invite, from, message);
    }
    if (lock.kind === 'return') return returning.received(lock.workspace, from, message);
    if (lock.kind === 'readmit' && message.kind === 'join') {
      return workspaces.get(lock.workspace)?.readmitting.asked(from, message);
    }
    return lock.kind === 'join' ? joins.answered(lock.workspace, from, message) : undefined;
  }

  /**
   * Who asks to be let in, and who answers, use one key: a device that has a copy, and is on its way into it again, may be both. It is asked
   * by a word of its own kind, and answered by any other.
   */
  #sideOf(lock: Lock, tag: string, { kind }: Message): Lock {
    const sides: readonly Lock['kind'][] = kind === 'join' ? ASKED : ANSWERED;
    if (![...ASKED, ...ANSWERED].includes(lock.kind)) return lock;
    return (
      this.#locks()
        .get(tag)
        ?.find((one) => sides.includes(one.kind)) ?? lock
    );
  }

  #locks(): ReadonlyMap<string, readonly Lock[]> {
    if (this.#lockCache) return this.#lockCache;
    const locks = new Map<string, Lock[]>();
    for (const [tag, lock] of this.#everyLock()) push(locks, tag, lock);
    return (this.#lockCache = locks);
  }

  *#everyLock(): Generator<readonly [tag: string, Lock]> {
    const { workspaces, joins, account, returning } = this.#options;
    for (const { workspace, inviting, readmitting } of workspaces) {
      const { id } = workspace;
      for (const { tag, key } of workspace.keyring.sealKeys()) yield [tag, { kind: 'epoch', workspace: id, key }];
      for (const invite of inviting.known()) {
        const { tag, key } = invitationSeal(this.#hub.crypto, invite.sealKey);
        yield [tag, { kind: 'invite', workspace: id, key, invite: invite.id }];
      }
      for (const { seal } of readmitting.locks()) yield [seal.tag, { kind: 'readmit', workspace: id, key: seal.key }];
    }
    for (const { workspace, seal } of returning.locks()) yield [seal.tag, { kind: 'return', workspace, key: seal.key }];
    for (const { workspace, sealKey, ended } of joins)
      if (!ended) yield [sealKey.tag, { kind: 'join', workspace, key: sealKey.key }];
    for (const { seal, of } of account.locks()) yield [seal.tag, { kind: 'account', of, key: seal.key }];
  }

  #reached(device: DeviceId, reach: 'direct' | 'none'): void {
    const { workspaces, joins, account, returning } = this.#options;
    workspaces.each((workspace) => workspace.reached(device, reach));
    if (reach !== 'direct') return;
    joins.ask(device);
    returning.reached(device);
    this.#retell(device);
    account.reached(device);
  }

  #relayChanged(state: RelayState): void {
    const { workspaces, joins, account, returning } = this.#options;
    this.#hub.emit({ type: 'relay', relay: relayInfo(state) });
    if (state.state !== 'connected') return;
    workspaces.each((workspace) => {
      workspace.relayUp();
      workspace.beat(1, true);
    });
    joins.ask();
    returning.relayUp();
    this.#retell();
    account.tick();
    void workspaces.announce();
  }

  #retell(device?: DeviceId): void {
    const { continuing, offers } = this.#options;
    Promise.all([continuing.retell(device), offers.retell(device)]).catch((error: unknown) => {
      // The commit queue tells of the disk.
      if (!(error instanceof StoreError)) this.#hub.fault(error);
    });
  }

  // ---- what changes -----------------------------------------------------------------------------------------------------

  /** Many things change at once: routes, keys and capabilities are made anew once for all of them. */
  changed(): void {
    this.#lockCache = undefined;
    if (this.#changePending || this.#closed) return;
    this.#changePending = true;
    this.#hub.clock.wakeAt(this.#hub.clock.now(), () => {
      this.#changePending = false;
      this.apply();
    });
  }

  /** At once. */
  apply(): void {
    if (this.#closed) return;
    this.#lockCache = undefined;
    this.#hub.transport.setRoutes(this.#routes());
    this.#hub.transport.setCapabilities(this.#capabilities());
    this.#unlock();
    this.#options.account.follow();
  }

  /** A member's route is what his record says, whatever an invitation has said before; where no address of his is known, the invitation's. */
  #routes(): readonly Route[] {
    const { workspaces, joins, account, returning } = this.#options;
    const routes = new Map<DeviceId, Route>();
    for (const { workspace } of workspaces) for (const route of workspace.routes()) routes.set(route.device, route);
    const others = [[...joins].flatMap((joining) => joining.routes), returning.routes(), account.routes()].flat();
    for (const route of others)
      if (!routes.get(route.device)?.addresses.length)
        routes.set(route.device, { ...route, relay: routes.get(route.device)?.relay ?? route.relay });
    routes.delete(this.#hub.identity.device);
    return [...routes.values()];
  }

  /**
   * Hashes of what a sender may show at this device's relay (R4), the newest epochs first, which are shown most: a workspace in which
   * somebody makes epochs by the thousand leaves the others theirs.
   */
  #capabilities(): readonly Uint8Array[] {
    const { crypto, identity } = this.#hub;
    const { workspaces, joins, account, returning } = this.#options;
    const { device } = identity;
    const shown: Uint8Array[][] = [];
    for (const { workspace, inviting, readmitting } of workspaces) {
      shown.push(workspace.keyring.capabilities(device).toReversed());
      shown.push(inviting.known().map((invite) => capabilityOf(crypto, invite.sealKey, device)));
      shown.push(readmitting.locks().map(({ seal }) => capabilityOf(crypto, seal.key, device)));
    }
    shown.push([...joins].map((joining) => joining.capability));
    shown.push([...returning.capabilities()], [...account.capabilities()]);
    return inTurns(shown, RELAY_MAX_CAPABILITIES).map((capability) => crypto.sha256(capability));
  }
}
