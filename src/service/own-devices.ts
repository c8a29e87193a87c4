/**
 * The devices of this person's account (I2, I4): which there are, what they are called, and that each is in every workspace of the
 * account. Whichever of them enters a workspace lets the others in; whichever is told that one is not trusted any more takes it out of
 * all. They speak under a seal of each pair (`device-link.ts`), so that one that was taken out hears nothing more.
 *
 * Kept in local state: `device/<id>` = [certificate, name, relay, [address …], added, whether it was taken out], `heard/<id>` = when,
 * `nameFor/<id>` = [what it is to be called, what it was called].
 */
import type { DeviceId } from '../base/ids.ts';
import { isRecent } from '../base/recent.ts';
import { MAX_CERTIFICATE_BYTES, readCertificate, type Certificate } from '../protocol/certificate.ts';
import { asArray, asBytes, asCount, asFlag, asList, asText, type Value } from '../protocol/codec.ts';
import { MAX_ADDRESSES, MAX_ADDRESS_BYTES, MAX_NAME_BYTES, MAX_OWN_DEVICES } from '../protocol/limits.ts';
import { controlBody } from '../sync/control.ts';
import { pairSeal } from '../sync/device-link.ts';
import type { SealKey } from '../sync/envelope.ts';
import { capabilityOf } from '../sync/epoch.ts';
import type { Message, OwnDevice } from '../sync/messages.ts';
import type { Route } from '../sync/ports.ts';
import type { DeviceRecord } from '../sync/roster.ts';
import { type CallKey, ServiceError, type DeviceInfo } from './api.ts';
import type { Farewell, Farewells } from './farewells.ts';
import type { Hub } from './hub.ts';
import type { Asker } from './link-codes.ts';
import { sayByRelay, sayDirectly } from './sealed-words.ts';
import type { SharedWorkspace } from './shared-workspace.ts';

/** When a device was last heard of need not be known to the second: it is written down this often. */
const HEARD_EVERY_MS = 60_000;
/** A queue keeps what it was given. */
const RELAY_TELL_AGAIN_MS = 10 * 60_000;

interface Device {
  readonly certificate: Certificate;
  readonly name: string;
  readonly relay: string;
  readonly addresses: readonly string[];
  readonly added: number;
  /** Taken out by this account: never let in again. */
  readonly isOut: boolean;
}

export type WorkspaceWord = Message & { kind: 'workspace' };

/** Who may let this device in, or has done so. */
export interface KnownDevice {
  readonly certificate: Certificate;
  readonly route: Route;
}

export interface OwnDevicesOptions {
  readonly hub: Hub;
  readonly farewells: Farewells;
  /** Those that this device is in, and holds whole. */
  workspaces(): Iterable<SharedWorkspace>;
  /** Another device of ours has let this one into a workspace: the first copy comes from there. */
  entered(word: WorkspaceWord, sponsor: KnownDevice): Promise<unknown>;
  /** One of them says by what word this person is out of a workspace. Answers whether anything of that is here. */
  takenOut(word: Farewell, from: DeviceId): boolean;
  /** What this device is called has changed. */
  renamed(): void;
}

export class OwnDevices {
  readonly #options: OwnDevicesOptions;
  readonly #hub: Hub;
  readonly #devices = new Map<DeviceId, Device>();
  readonly #seals = new Map<DeviceId, SealKey>();
  readonly #toldByRelay = new Map<string, number>();
  /** What others are to be called, until they have said so themselves. */
  readonly #wantedNames = new Map<DeviceId, { readonly name: string; readonly before: string }>();

  constructor(options: OwnDevicesOptions) {
    this.#options = options;
    this.#hub = options.hub;
    for (const [, value] of options.hub.local.under('device/')) {
      const device = readDevice(options.hub, value);
      if (device && this.#isOurs(device.certificate)) this.#devices.set(device.certificate.device, device);
    }
    for (const [device, value] of options.hub.local.under('nameFor/')) {
      const [name, before] = (asList(value, 2, (text) => asText(text, MAX_NAME_BYTES)) ?? []) as [string?, string?];
      if (name !== undefined && before !== undefined) this.#wantedNames.set(device as DeviceId, { name, before });
    }
  }

  // ---- who they are -----------------------------------------------------------------------------------------------------

  get #others(): readonly Device[] {
    return [...this.#devices.values()].filter(({ isOut }) => !isOut);
  }

  /** Of whatever was our account before, nothing counts. */
  #isOurs({ account, device }: Certificate): boolean {
    return account === this.#hub.identity.account && device !== this.#hub.identity.device;
  }

  #keep(device: Device): void {
    const { certificate, name, relay, addresses, added, isOut } = device;
    this.#devices.set(certificate.device, device);
    this.#isChanged = true;
    this.#hub.local.put(`device/${certificate.device}`, [certificate.bytes, name, relay, [...addresses], added, isOut]);
  }

  /** A device that holds the account: with a code, or as another of ours says. */
  #meet({ certificate, name, relay, addresses }: Asker): void {
    const known = this.#devices.get(certificate.device);
    if (!this.#isOurs(certificate) || known?.isOut) return;
    // This one is of them: a word with more in it nobody reads. Those that were taken out are kept beside them.
    if (!known && this.#others.length + 1 >= MAX_OWN_DEVICES) return;
    const added = known?.added ?? this.#hub.clock.now();
    this.#keep({ certificate, name, relay, addresses, added, isOut: false });
  }

  /** One that came with a link code. Answers all there are, this one first; `spread` lets it into the workspaces. */
  async welcome(asker: Asker): Promise<readonly OwnDevice[]> {
    this.#meet(asker);
    await this.#met();
    const all = [this.#self(), ...this.#others].map(toWord);
    const { device: newest } = asker.certificate;
    for (const other of this.#others) {
      const { device } = other.certificate;
      if (device !== newest) this.#tell(other, { kind: 'devices', devices: all }, `devices/${device}/${newest}`);
    }
    return all;
  }

  /** Known at once: the next word under a pair's seal may be here already. */
  async #met(): Promise<void> {
    this.#hub.changed();
    this.#hub.emit({ type: 'devices' });
    await this.#hub.commit([]);
  }

  #self(): Device {
    const { identity, transport } = this.#hub;
    return {
      ...{ certificate: identity.certificate, name: this.#hub.deviceName(), relay: this.#hub.relay() ?? '' },
      ...{ addresses: transport.listening.slice(0, MAX_ADDRESSES), added: identity.certificate.created, isOut: false },
    };
  }

  /** What another device of ours says there is. */
  async learn(devices: readonly OwnDevice[]): Promise<void> {
    for (const { certificate: bytes, name, relay, addresses } of devices) {
      const certificate = readCertificate(this.#hub.crypto, bytes);
      if (certificate.ok) this.#meet({ certificate: certificate.value, name, relay, addresses });
    }
    await this.#met();
  }

  /** What the workspaces say of our devices: others of ours, their names, and words that one is out. */
  follow(): void {
    for (const workspace of this.#options.workspaces()) {
      for (const record of workspace.self?.devices ?? []) this.#followRecord(workspace, record);
      for (const [device, word] of workspace.roster.gone) {
        const known = this.#devices.get(device);
        const isOurWord = workspace.replica.people.accountOf(word.delta.device) === this.#hub.identity.account;
        if (known?.isOut === false && word.delta.kind === 'removeDevice' && isOurWord)
          this.#keep({ ...known, isOut: true });
      }
    }
    if (this.#isChanged) this.#hub.emit({ type: 'devices' });
    this.#isChanged = false;
  }

  #isChanged = false;

  #followRecord(workspace: SharedWorkspace, record: DeviceRecord): void {
    const { certificate } = record;
    const known = this.#devices.get(certificate.device);
    const [name, relay] = [record.name || (known?.name ?? ''), record.relay || (known?.relay ?? '')];
    // It has taken the name, or has another since.
    const wanted = this.#wantedNames.get(certificate.device);
    if (wanted && wanted.before !== name) this.#nameTaken(certificate.device);
    const { addresses: learnt } = workspace.peers.routeOf(certificate.device);
    const addresses = learnt.length > 0 ? learnt : (known?.addresses ?? []);
    const isKnown = known?.name === name && known.relay === relay && known.addresses.join() === addresses.join();
    if (!isKnown) this.#meet({ certificate, name, relay, addresses });
  }

  // ---- paths ------------------------------------------------------------------------------------------------------------

  routes(): readonly Route[] {
    return this.#others.map((device) => this.#routeOf(device));
  }

  #routeOf({ certificate, addresses, relay }: Device): Route {
    return { device: certificate.device, addresses, relay: relay === '' ? undefined : relay };
  }

  /** Whom this device may ask to let it into a workspace again. */
  doors(): readonly KnownDevice[] {
    return this.#others.map((device) => this.#doorOf(device));
  }

  #doorOf(device: Device): KnownDevice {
    return { certificate: device.certificate, route: this.#routeOf(device) };
  }

  seals(): readonly { readonly device: DeviceId; readonly seal: SealKey }[] {
    return this.#others.flatMap(({ certificate }) => {
      const seal = this.#sealOf(certificate);
      return seal ? [{ device: certificate.device, seal }] : [];
    });
  }

  capabilities(): readonly Uint8Array[] {
    return this.seals().map(({ seal }) => capabilityOf(this.#hub.crypto, seal.key, this.#hub.identity.device));
  }

  #sealOf(certificate: Certificate): SealKey | undefined {
    const known = this.#seals.get(certificate.device);
    if (known) return known;
    const seal = pairSeal(this.#hub.crypto, this.#hub.identity, certificate);
    if (seal) this.#seals.set(certificate.device, seal);
    return seal;
  }

  #tell(device: Device, message: Message, once: string): void {
    const { clock } = this.#hub;
    const seal = this.#sealOf(device.certificate);
    if (!seal) return;
    const to = { device: device.certificate.device, relay: device.relay };
    if (sayDirectly(this.#hub, seal, [to.device], message) || to.relay === '') return; // or when a path opens
    const now = clock.now();
    if (isRecent(this.#toldByRelay.get(once) ?? Number.NEGATIVE_INFINITY, RELAY_TELL_AGAIN_MS, now)) return;
    this.#toldByRelay.set(once, now);
    void sayByRelay(this.#hub, seal, [to], message).then(
      ([outcome]) => outcome === 'ok' || this.#toldByRelay.delete(once),
    );
  }

  // ---- into every workspace ---------------------------------------------------------------------------------------------

  #spreading: Promise<void> | undefined;

  /**
   * Takes out of each workspace what is still to be, lets each of our other devices into each that it is not in, and tells it of those that it may not
   * know of.
   */
  spread(): Promise<void> {
    this.#spreading ??= this.#spread().finally(() => (this.#spreading = undefined));
    return this.#spreading;
  }

  async #spread(): Promise<void> {
    await this.#finishRemovals();
    for (const device of this.#others) this.#tellOut(device);
    for (const workspace of this.#options.workspaces()) {
      for (const device of this.#others) {
        const { certificate } = device;
        // It may have been taken out while another was let in.
        if (this.#devices.get(certificate.device)?.isOut !== false) continue;
        if (!workspace.roster.devices.has(certificate.device)) await this.#letIn(workspace, device);
        // Who has said what it holds has the key, and needs no other word.
        if (workspace.engine.session.memory(certificate.device).known.length === 0) this.#tellOf(workspace, device);
      }
    }
  }

  async #letIn(workspace: SharedWorkspace, { certificate, addresses, relay }: Device): Promise<void> {
    const epoch = workspace.engine.keys.box([certificate]);
    // Held out by a manager: not ours to undo.
    if (!epoch || workspace.roster.gone.has(certificate.device)) return;
    try {
      await workspace.control('addDevice', controlBody.addDevice(certificate.account, [certificate], epoch));
    } catch (error) {
      if (error instanceof ServiceError) return; // full, or we are out of it ourselves
      throw error;
    }
    workspace.peers.meet(certificate.device, addresses, relay);
  }

  #tellOf(workspace: SharedWorkspace, device: Device): void {
    const { roster, replica, id } = workspace;
    const record = roster.records.get(device.certificate.device);
    // D1: it is told when a path opens.
    if (!record || !replica.isDurable(record.letIn)) return;
    const { bytes: admit } = record.letIn.delta;
    const message: Message = { kind: 'workspace', workspace: id, name: roster.name, admit, total: replica.size };
    this.#tell(device, message, `${device.certificate.device}/${id}`);
  }

  /** K2: it may reach nobody else who could tell it that this person is out. */
  #tellOut(device: Device): void {
    const { device: id } = device.certificate;
    for (const word of this.#options.farewells.for(id)) this.#tell(device, word, `${id}/out/${word.workspace}`);
  }

  async #heardOut(device: Device, message: Farewell): Promise<void> {
    const { workspace, word } = message;
    const { device: from } = device.certificate;
    if (word.length === 0) return this.#options.farewells.told(from, workspace);
    if (this.#options.takenOut(message, from)) return;
    this.#tell(device, { ...message, word: new Uint8Array(0) }, `${from}/gone/${workspace}`);
  }

  // ---- hearing ----------------------------------------------------------------------------------------------------------

  async received(from: DeviceId, message: Message): Promise<unknown> {
    const device = this.#devices.get(from);
    if (!device || device.isOut) return;
    switch (message.kind) {
      case 'devices':
        return this.learn(message.devices);
      case 'workspace':
        return this.#options.entered(message, this.#doorOf(device));
      case 'nameDevice':
        return this.#callSelf(message.name);
      case 'out':
        return this.#heardOut(device, message);
      default:
        return;
    }
  }

  heardFrom(device: DeviceId): void {
    if (!this.#devices.has(device)) return;
    const now = this.#hub.clock.now();
    if (!isRecent(this.#heardAt(device), HEARD_EVERY_MS, now)) this.#hub.local.put(`heard/${device}`, now);
  }

  #heardAt(device: DeviceId): number {
    return asCount(this.#hub.local.get(`heard/${device}`)) ?? 0;
  }

  /** A path is open: what it was told in vain it is told now. */
  reached(device: DeviceId): void {
    if (this.#devices.get(device)?.isOut !== false) return;
    this.heardFrom(device);
    void this.spread().catch((error: unknown) => this.#hub.fault(error));
    this.#nameOther(this.#devices.get(device)!);
  }

  // ---- as a person sees and changes them --------------------------------------------------------------------------------

  infos(): readonly DeviceInfo[] {
    const self = this.#self();
    return [
      { ...this.#describe(self), self: true, online: true, inSync: true, lastHeard: this.#hub.clock.now() },
      ...this.#others.map((device) => this.#describe(device)),
    ];
  }

  #describe({ certificate, name, added }: Device): DeviceInfo {
    const { device } = certificate;
    const within = [...this.#options.workspaces()].filter(({ roster }) => roster.devices.has(device));
    const wanted = this.#wantedNames.get(device);
    const heard = this.#heardAt(device);
    return {
      ...{ device, added, self: false, name: wanted?.name ?? name },
      online: this.#hub.transport.reach(device) === 'direct' || within.some(({ peers }) => peers.isOnline(device)),
      inSync: within.every(({ engine }) => engine.session.inSync(device)),
      ...(heard === 0 ? {} : { lastHeard: heard }),
    };
  }

  /** Throws ServiceError('notFound'). Another than this one takes its name when it hears of it. */
  async rename(device: string, name: string): Promise<void> {
    if (device === this.#hub.identity.device) return this.#callSelf(name);
    const known = this.#devices.get(device as DeviceId);
    if (!known || known.isOut) throw new ServiceError('notFound', {});
    if (known.name === name) return this.#nameTaken(known.certificate.device);
    this.#wantedNames.set(known.certificate.device, { name, before: known.name });
    this.#hub.local.put(`nameFor/${device}`, [name, known.name]);
    await this.#hub.commit([]);
    this.#nameOther(known);
    this.#hub.emit({ type: 'devices' });
  }

  #nameOther(device: Device): void {
    const { device: id } = device.certificate;
    const name = this.#wantedNames.get(id)?.name;
    if (name !== undefined) this.#tell(device, { kind: 'nameDevice', name }, `name/${id}/${name}`);
  }

  #nameTaken(device: DeviceId): void {
    this.#wantedNames.delete(device);
    this.#hub.local.drop(`nameFor/${device}`);
    this.#isChanged = true;
  }

  async #callSelf(name: string): Promise<void> {
    this.#hub.local.put('deviceName', name);
    await this.#hub.commit([]);
    this.#hub.emit({ type: 'devices' });
    this.#options.renamed();
  }

  /**
   * Out of every workspace, with a new key for each (K2). It learns that when it next meets anybody, and erases its copies.
   * Throws ServiceError('notFound'), and 'notPermitted' for this device itself.
   */
  async remove(id: string, call?: CallKey): Promise<void> {
    const device = this.#devices.get(id as DeviceId);
    if (id === this.#hub.identity.device) throw new ServiceError('notPermitted', { reason: 'self' });
    if (!device || device.isOut) throw new ServiceError('notFound', {});
    const out = device.certificate.device;
    // First, durably, that it is never let in again: whatever happens in between, `spread` does the rest.
    this.#keep({ ...device, isOut: true });
    await this.#hub.commit([], call);
    try {
      await this.#takeOut([out]);
    } finally {
      this.#hub.changed();
      this.#hub.emit({ type: 'devices' });
    }
  }

  /** Devices that were to be taken out when this one was stopped, of workspaces that came later, and of those that could not be written in. */
  #finishRemovals(): Promise<void> {
    const out = [...this.#devices.values()].filter(({ isOut }) => isOut);
    return this.#takeOut(out.map(({ certificate }) => certificate.device));
  }

  /** Out of every workspace, though one of them fails: throws what the disk has said first, at the end. */
  async #takeOut(devices: readonly DeviceId[]): Promise<void> {
    const errors: unknown[] = [];
    for (const workspace of this.#options.workspaces())
      for (const device of devices)
        await this.#takeOutOf(workspace, device).catch((error: unknown) => {
          // Nothing can be written there now: the next time.
          if (!(error instanceof ServiceError)) errors.push(error);
        });
    if (errors.length > 0) throw errors[0];
  }

  async #takeOutOf(workspace: SharedWorkspace, device: DeviceId): Promise<void> {
    if (workspace.roster.deleted || !workspace.roster.devices.has(device)) return;
    const epoch = workspace.engine.keys.make(new Set([device]));
    await workspace.control('removeDevice', controlBody.devices([device], epoch));
  }
}

function toWord({ certificate, name, relay, addresses }: Device): OwnDevice {
  return { certificate: certificate.bytes, name, relay, addresses };
}

function readDevice(hub: Hub, value: Value): Device | undefined {
  const f = asArray(value, 6);
  const [bytes, name, relay] = [
    asBytes(f?.[0], 1, MAX_CERTIFICATE_BYTES),
    asText(f?.[1], MAX_NAME_BYTES),
    asText(f?.[2], MAX_ADDRESS_BYTES),
  ];
  const addresses = asList(f?.[3], MAX_ADDRESSES, (address) => asText(address, MAX_ADDRESS_BYTES));
  const [added, isOut] = [asCount(f?.[4]), asFlag(f?.[5])];
  const certificate = bytes && readCertificate(hub.crypto, bytes);
  if (!certificate?.ok || name === undefined || relay === undefined || !addresses) return undefined;
  if (added === undefined || isOut === undefined) return undefined;
  return { certificate: certificate.value, name, relay, addresses, added, isOut };
}
