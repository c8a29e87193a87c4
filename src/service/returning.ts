/**
 * The way back of this device into workspaces that it was dropped from (L7, `way-back.ts`). Before the copy goes, it is written down who
 * may let it in again; when its person wants it back they are asked, one after the other, until one has answered.
 *
 * Kept in local state: `return/<workspace>` = [name, whether they are asked, [[certificate, relay, [address …]] …], by what it was dropped 0 or 32].
 */
import { toHex } from '../base/bytes.ts';
import type { DeltaId, DeviceId, WorkspaceId } from '../base/ids.ts';
import { KEY_BYTES } from '../crypto/crypto.ts';
import { MAX_CERTIFICATE_BYTES, readCertificate, type Certificate } from '../protocol/certificate.ts';
import { asArray, asBytes, asFlag, asList, asText, type Value } from '../protocol/codec.ts';
import { MAX_ADDRESSES, MAX_ADDRESS_BYTES, MAX_NAME_BYTES, MAX_RETURN_ROUTES } from '../protocol/limits.ts';
import { Role } from '../sync/control.ts';
import { idBytes } from '../sync/delta.ts';
import type { SealKey } from '../sync/envelope.ts';
import { capabilityOf } from '../sync/epoch.ts';
import { DeclineReason, type Message } from '../sync/messages.ts';
import type { Route } from '../sync/ports.ts';
import { Since } from '../sync/since.ts';
import { returnSeal, returnSubject } from '../sync/way-back.ts';
import { ServiceError } from './api.ts';
import { Asking } from './asking.ts';
import type { Hub } from './hub.ts';
import type { KnownDevice, WorkspaceWord } from './own-devices.ts';
import type { SharedWorkspace } from './shared-workspace.ts';

/** Each that is asked writes an addDevice where it has not heard of another's: the next is asked when the one before had time to answer. */
const ASK_NEXT_MS = 10_000;

interface Door extends KnownDevice {
  readonly seal: SealKey;
}

export interface ReturningOptions {
  readonly hub: Hub;
  /** A member's device has let this one in: the first copy comes from there. Answers whether it is on its way. */
  entered(word: WorkspaceWord, sponsor: KnownDevice): Promise<boolean>;
  /** A member's device says that this one is not in, or cannot let it in; `isLast`: as all others did. Answers whether that is the end of it. */
  declined(workspace: WorkspaceId, from: DeviceId, reason: DeclineReason, isLast: boolean): Promise<boolean>;
}

export class Returning {
  readonly #options: ReturningOptions;
  readonly #hub: Hub;
  readonly #ways = new Map<WorkspaceId, WayBack>();

  constructor(options: ReturningOptions) {
    this.#options = options;
    this.#hub = options.hub;
  }

  /** `start` follows, when there is a transport. */
  restore(): void {
    for (const [id, value] of this.#hub.local.under('return/')) {
      const way = WayBack.read(this.#hub, id as WorkspaceId, value);
      if (way) this.#ways.set(way.workspace, way);
    }
  }

  start(): void {
    for (const way of this.#ways.values()) if (way.isWanted) way.ask();
  }

  stop(): void {
    for (const way of this.#ways.values()) way.rest();
  }

  /** This device was dropped: who may let it in again goes to disk with the next commit, before the copy goes. */
  remember(workspace: SharedWorkspace): void {
    const way = WayBack.from(this.#hub, workspace);
    this.#ways.get(workspace.id)?.rest();
    this.#ways.set(workspace.id, way);
    way.keep();
  }

  /** It is in again, or its person has let go of it. */
  forget(workspace: WorkspaceId): void {
    this.#ways.get(workspace)?.rest();
    this.#ways.delete(workspace);
    this.#hub.local.drop(`return/${workspace}`);
  }

  isAsking(workspace: WorkspaceId): boolean {
    return this.#ways.get(workspace)?.isWanted === true;
  }

  /** Throws ServiceError('notFound') where this device was not dropped. */
  async want(workspace: WorkspaceId): Promise<void> {
    const way = this.#ways.get(workspace);
    if (!way) throw new ServiceError('notFound', {});
    way.isWanted = true;
    way.keep();
    await this.#hub.commit([]);
    // Routes, seals and capabilities first: the answer needs them.
    this.#hub.changed();
    way.ask();
    this.#hub.emit({ type: 'workspaces' });
  }

  /**
   * The copy of a workspace that this device was let into without an invitation does not come. Where it has not come back by one of the members that
   * it knew, it was one of `own`, its person's devices.
   */
  askAgain(workspace: WorkspaceId, name: string, own: readonly KnownDevice[]): void {
    const known = this.#ways.get(workspace);
    const way = known && known.doors.length > 0 ? known : WayBack.by(this.#hub, workspace, name, own);
    if (way.doors.length === 0) return;
    this.#ways.set(workspace, way);
    if (way.isWanted) return way.ask();
    this.want(workspace).catch((error: unknown) => this.#hub.fault(error));
  }

  // ---- what is said -----------------------------------------------------------------------------------------------------

  #wanted(): readonly WayBack[] {
    return [...this.#ways.values()].filter(({ isWanted }) => isWanted);
  }

  locks(): readonly { readonly workspace: WorkspaceId; readonly seal: SealKey }[] {
    return this.#wanted().flatMap(({ workspace, doors }) => doors.map(({ seal }) => ({ workspace, seal })));
  }

  routes(): readonly Route[] {
    return this.#wanted().flatMap(({ doors }) => doors.map(({ route }) => route));
  }

  capabilities(): readonly Uint8Array[] {
    const { crypto, identity } = this.#hub;
    return this.locks().map(({ seal }) => capabilityOf(crypto, seal.key, identity.device));
  }

  async received(workspace: WorkspaceId, from: DeviceId, message: Message): Promise<void> {
    const way = this.#ways.get(workspace);
    const door = way?.doors.find(({ route }) => route.device === from);
    if (!way?.isWanted || !door) return;
    if (message.kind === 'declined') return this.#refused(way, from, message.reason);
    if (message.kind === 'askAnew') return way.askAfter(message.since);
    if (message.kind !== 'workspace' || message.workspace !== workspace) return;
    if (!(await this.#options.entered(message, door))) return;
    way.isWanted = false;
    way.rest();
    way.keep();
    await this.#hub.commit([]);
    this.#hub.changed();
  }

  /**
   * Who only cannot is passed by: the person hears of it when nobody is left to ask, or when the device may not come back any more. Where a copy
   * is on its way after all, it is the join that he hears of (N4).
   */
  async #refused(way: WayBack, by: DeviceId, reason: DeclineReason): Promise<void> {
    way.refusedBy(by);
    if (reason !== DeclineReason.revoked && !way.isRefused) return;
    const { workspace } = way;
    if (!(await this.#options.declined(workspace, by, reason, way.isRefused))) return;
    if (this.#ways.get(workspace) !== way) return;
    way.isWanted = false;
    way.rest();
    way.keep();
    await this.#hub.commit([]);
    this.#hub.changed();
    this.#hub.emit({ type: 'notice', code: 'notLetIn', workspace: way.workspace, detail: { name: way.name } });
    this.#hub.emit({ type: 'workspaces' });
  }

  /** This device is another one now: nobody knows it by the old keys. */
  forgetAll(): void {
    for (const workspace of [...this.#ways.keys()]) this.forget(workspace);
  }

  /** A path to somebody who may answer is open. */
  reached(device: DeviceId): void {
    for (const way of this.#wanted()) if (way.doors.some(({ route }) => route.device === device)) way.askFirst(device);
  }

  /** The relay is there again. */
  relayUp(): void {
    for (const way of this.#wanted()) way.ask();
  }
}

/** Into one workspace. */
class WayBack {
  readonly workspace: WorkspaceId;
  readonly #hub: Hub;
  readonly name: string;
  readonly doors: readonly Door[];
  isWanted: boolean;
  readonly #word: DeltaId | undefined;
  #since: Since;
  readonly #asking = new Map<DeviceId, Asking>();
  readonly #refused = new Set<DeviceId>();
  #cancelNext: (() => void) | undefined;

  /** `word`: the one that took this device out, where it has heard it. */
  private constructor(
    hub: Hub,
    workspace: WorkspaceId,
    name: string,
    isWanted: boolean,
    doors: readonly Door[],
    word?: DeltaId,
  ) {
    this.#hub = hub;
    this.#word = word;
    this.#since = this.#sinceWord();
    this.workspace = workspace;
    this.name = name;
    this.isWanted = isWanted;
    this.doors = doors;
  }

  /** What was told beside is told again. */
  #sinceWord(): Since {
    return new Since(this.#word === undefined ? [] : [this.#word]);
  }

  /** Managers first: what is given as a first copy by one of them is believed by all (L6). */
  static from(hub: Hub, { id, roster, peers, replica, expulsion }: SharedWorkspace): WayBack {
    const members = [...roster.members.values()].sort((a, b) => a.role - b.role);
    const records = members.flatMap(({ devices, role }) => devices.map((record) => ({ ...record, role })));
    const nearest = records.sort(
      (a, b) =>
        Number(a.role !== Role.manager) - Number(b.role !== Role.manager) ||
        Number(peers.isOnline(b.certificate.device)) - Number(peers.isOnline(a.certificate.device)),
    );
    const doors = nearest
      .filter(
        ({ certificate }) => certificate.device !== hub.identity.device && replica.people.isLetIn(certificate.device),
      )
      .slice(0, MAX_RETURN_ROUTES)
      .flatMap(({ certificate }) => doorOf(hub, id, certificate, peers.routeOf(certificate.device)) ?? []);
    return new WayBack(hub, id, roster.name, false, doors, expulsion?.delta.id);
  }

  static by(hub: Hub, id: WorkspaceId, name: string, devices: readonly KnownDevice[]): WayBack {
    const doors = devices
      .slice(0, MAX_RETURN_ROUTES)
      .flatMap((one) => doorOf(hub, id, one.certificate, one.route) ?? []);
    return new WayBack(hub, id, name, false, doors);
  }

  static read(hub: Hub, id: WorkspaceId, value: Value): WayBack | undefined {
    const f = asArray(value, 4);
    const [name, isWanted] = [asText(f?.[0], MAX_NAME_BYTES), asFlag(f?.[1])];
    const doors = asList(f?.[2], MAX_RETURN_ROUTES, (one) => readDoor(hub, id, one));
    const word = asBytes(f?.[3], 0) ?? asBytes(f?.[3], KEY_BYTES);
    if (name === undefined || isWanted === undefined || !doors || !word) return undefined;
    return new WayBack(hub, id, name, isWanted, doors, word.length === 0 ? undefined : (toHex(word) as DeltaId));
  }

  keep(): void {
    const doors = this.doors.map(({ certificate, route }): Value => [
      certificate.bytes,
      route.relay ?? '',
      [...route.addresses],
    ]);
    this.#hub.local.put(`return/${this.workspace}`, [this.name, this.isWanted, doors, idBytes(this.#word ?? '')]);
  }

  /** All that were asked, again, and the next; where all have refused in vain (N4), each anew. */
  ask(): void {
    if (this.isRefused) this.#refused.clear();
    for (const asking of this.#asking.values()) asking.ask();
    this.#askNext();
  }

  #askNext(): void {
    this.#cancelNext?.();
    const isNear = ({ route }: Door) => this.#hub.transport.reach(route.device) === 'direct';
    const open = this.doors.filter(({ route }) => !this.#asking.has(route.device) && !this.#refused.has(route.device));
    const next = open.find(isNear) ?? open[0];
    if (!next) return;
    this.#askAt(next);
    this.#cancelNext = this.#hub.clock.wakeAt(this.#hub.clock.now() + ASK_NEXT_MS, () => this.#askNext());
  }

  askFirst(device: DeviceId): void {
    const door = this.doors.find(({ route }) => route.device === device);
    if (door && !this.#refused.has(device)) this.#askAt(door);
  }

  #askAt({ route, seal }: Door): void {
    const known = this.#asking.get(route.device);
    if (known) return known.ask();
    const { crypto, identity } = this.#hub;
    const asking = new Asking({
      ...{ hub: this.#hub, seal, routes: [route] },
      name: () => this.#hub.displayName(),
      since: () => this.#since.words,
      sign: (certificate, since) =>
        crypto.sign(identity.signer.seed, returnSubject(this.workspace, since, certificate)),
      onAsked: () => undefined,
    });
    this.#asking.set(route.device, asking);
    asking.ask();
  }

  /** One of them knows this device to be out by other words than it names. */
  askAfter(words: readonly DeltaId[]): void {
    if (this.#since.add(words)) for (const asking of this.#asking.values()) asking.askAnew();
  }

  /** The others are asked on. */
  refusedBy(device: DeviceId): void {
    this.#refused.add(device);
    this.#asking.get(device)?.stop();
    this.#asking.delete(device);
    this.#askNext();
  }

  get isRefused(): boolean {
    return this.doors.every(({ route }) => this.#refused.has(route.device));
  }

  rest(): void {
    this.#cancelNext?.();
    for (const asking of this.#asking.values()) asking.stop();
    this.#asking.clear();
    this.#refused.clear();
    this.#since = this.#sinceWord();
  }
}

function doorOf(hub: Hub, workspace: WorkspaceId, certificate: Certificate, route: Route): Door | undefined {
  const seal = returnSeal(hub.crypto, workspace, hub.identity, certificate);
  const addresses = route.addresses.slice(0, MAX_ADDRESSES);
  return seal && { certificate, route: { ...route, addresses }, seal };
}

function readDoor(hub: Hub, workspace: WorkspaceId, value: Value): Door | undefined {
  const f = asArray(value, 3);
  const [bytes, relay] = [asBytes(f?.[0], 1, MAX_CERTIFICATE_BYTES), asText(f?.[1], MAX_ADDRESS_BYTES)];
  const addresses = asList(f?.[2], MAX_ADDRESSES, (address) => asText(address, MAX_ADDRESS_BYTES));
  const certificate = bytes && readCertificate(hub.crypto, bytes);
  if (!certificate?.ok || relay === undefined || !addresses) return undefined;
  const { device } = certificate.value;
  return doorOf(hub, workspace, certificate.value, { device, addresses, relay: relay === '' ? undefined : relay });
}
