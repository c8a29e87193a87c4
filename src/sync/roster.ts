/** What the accepted control deltas add up to, in D6 order: names, members, devices, tools, invitations, epochs. */
import type { AccountId, DeltaId, DeviceId, ToolId } from '../base/ids.ts';
import type { Certificate } from '../protocol/certificate.ts';
import type { Authority } from './authority.ts';
import { certificatesIn, MAY_VOID, Role, type Control, type CutAndRoot } from './control.ts';
import type { EpochNotice } from './epoch.ts';
import type { Node } from './graph.ts';
import type { Accepted, Key } from './seniority.ts';
import type { ToolWords } from './tool-words.ts';

export interface Member {
  readonly account: AccountId;
  readonly name: string;
  readonly role: Role;
  readonly credential: DeltaId;
  readonly devices: readonly DeviceRecord[];
}

export interface DeviceRecord {
  readonly certificate: Certificate;
  /** Text form of the address of the relay that keeps its queue; empty for none. */
  readonly relay: string;
  /** As its owner calls it; empty where he has not said. */
  readonly name: string;
  /** Milliseconds since 1970, as who let it in claims. */
  readonly added: number;
  /** The delta that let it in, the last one where it was out in between. */
  readonly letIn: Node;
}

/** A state that somebody vouches for (L6). */
export interface Voucher extends CutAndRoot {
  readonly node: Node;
}

export interface ToolRecord {
  readonly tool: ToolId;
  readonly kind: string;
  readonly name: string;
}

export interface InviteRecord {
  readonly id: DeltaId;
  readonly inviter: AccountId;
  readonly publicKey: Uint8Array;
  readonly sealKey: Uint8Array;
  readonly role: Role;
  readonly expires: number;
  readonly usesLeft: number;
  readonly confirm: boolean;
  readonly revoked: boolean;
}

export interface EpochRecord {
  readonly notice: EpochNotice;
  readonly maker: Node;
  /** key(cred) of the maker (A1). */
  readonly key: Key;
  /** Devices that this delta lets in: they hold the key from the start. */
  readonly lets: readonly DeviceId[];
}

export interface Roster {
  readonly name: string;
  readonly members: ReadonlyMap<AccountId, Member>;
  readonly devices: ReadonlyMap<DeviceId, Member>;
  /** Of everybody who was ever in it: what he wrote stays under his name. */
  readonly names: ReadonlyMap<AccountId, string>;
  /** Of the devices of members. */
  readonly records: ReadonlyMap<DeviceId, DeviceRecord>;
  /** Devices that are not in it any more, each with the word that took it out (K2). */
  readonly gone: ReadonlyMap<DeviceId, Node>;
  /** Of these all the words without which it may believe itself in by what is known here. */
  readonly wordsOut: ReadonlyMap<DeviceId, readonly Node[]>;
  /** What it is told, in this order: of what was dropped also that without which it may believe itself in by what nobody here knows. */
  readonly wordsTold: ReadonlyMap<DeviceId, readonly Node[]>;
  /** Of every device that was ever let in: what is under the seal of a pair may be for one that is out (K4). */
  readonly certificates: ReadonlyMap<DeviceId, Certificate>;
  /** Of these devices: how they are reached to be told, and who comes back (L7). */
  readonly goneRecords: ReadonlyMap<DeviceId, DeviceRecord>;
  readonly tools: ReadonlyMap<ToolId, ToolRecord>;
  readonly invites: ReadonlyMap<DeltaId, InviteRecord>;
  /** Every notice with boxes: a joiner's admit boxes an epoch that an earlier one made. */
  readonly epochs: readonly EpochRecord[];
  /** Notices in words that are void: who is boxed in one may hold its epoch (K3). */
  readonly boxedInVain: readonly EpochNotice[];
  /** Words that are void, and let in who is not in it: he was, for who had one. */
  readonly letInVain: readonly Node[];
  /** Words that are void, and would void others: for who had one the word by which somebody is out may have been void. */
  readonly voidedInVain: readonly Node[];
  /** The word that deleted the workspace for all (A8). */
  readonly deleted: Node | undefined;
  /** States that inviters and managers vouch for, in D6 order (L6). */
  readonly vouchers: readonly Voucher[];
}

/** Whether somebody is left who could act as a manager: one all of whose devices are out cannot. */
export function hasManagers({ members }: Roster): boolean {
  return [...members.values()].some(({ role, devices }) => role === Role.manager && devices.length > 0);
}

interface Draft {
  name: string;
  readonly people: Map<AccountId, { name: string; readonly devices: Map<DeviceId, DeviceRecord> }>;
  readonly tools: Map<ToolId, ToolRecord>;
  readonly toolWords: ToolWords;
  readonly invites: Map<DeltaId, InviteRecord>;
  readonly epochs: EpochRecord[];
  readonly vouchers: Voucher[];
  deleted: Node | undefined;
}

export function rosterOf(authority: Authority, toolWords: ToolWords): Roster {
  const draft: Draft = {
    ...{ name: '', people: new Map(), tools: new Map(), invites: new Map(), epochs: [] },
    ...{ vouchers: [], deleted: undefined, toolWords },
  };
  for (const { node, control } of authority.vouched)
    if (control.kind === 'admit') includePerson(draft, node, control.certificates, control.memberName);
  for (const accepted of authority.accepted) include(draft, authority, accepted);
  const members = new Map<AccountId, Member>();
  const devices = new Map<DeviceId, Member>();
  const records = new Map<DeviceId, DeviceRecord>();
  const gone = new Map<DeviceId, Node>();
  const certificates = new Map<DeviceId, Certificate>();
  const goneRecords = new Map<DeviceId, DeviceRecord>();
  const wordsOut = new Map<DeviceId, readonly Node[]>();
  const wordsTold = new Map<DeviceId, readonly Node[]>();
  const leave = (device: DeviceId, record: DeviceRecord, word: Node, words: readonly Node[]) => {
    gone.set(device, word);
    wordsOut.set(device, words);
    const beside = word.delta.kind === 'drop' ? authority.wordsOut.reachingBeside(word) : [];
    wordsTold.set(device, [...new Set([...words, ...beside])]);
    goneRecords.set(device, record);
  };
  for (const [account, person] of draft.people) {
    for (const [device, { certificate }] of person.devices) certificates.set(device, certificate);
    const best = authority.bestCredential(account);
    if (!best) {
      const words = authority.wordsOut.departuresOf(account);
      const last = words.at(-1);
      const told = authority.wordsOut.withWhatTheyStandBy(words);
      if (last) for (const [device, record] of person.devices) leave(device, record, last, told);
      continue;
    }
    const active: DeviceRecord[] = [];
    const member: Member = { account, name: person.name, role: best.role, credential: best.id, devices: active };
    members.set(account, member);
    for (const [device, record] of person.devices) {
      const [word, ...others] = authority.wordsOut.holdingOut(device);
      if (word) {
        leave(device, record, word, [word, ...others]);
        continue;
      }
      active.push(record);
      devices.set(device, member);
      records.set(device, record);
    }
  }
  const refused = [...authority.refused()];
  // What has no effect for its place (D2, D8) nobody need be able to name.
  const canBeNamed = (node: Node) => !authority.graph.isAside(node);
  return {
    name: draft.name,
    members,
    devices,
    names: new Map([...draft.people].map(([account, { name }]) => [account, name])),
    records,
    gone,
    wordsOut,
    wordsTold,
    certificates,
    goneRecords,
    tools: draft.tools,
    invites: draft.invites,
    epochs: draft.epochs,
    boxedInVain: refused.flatMap(({ control }) => ('epoch' in control && control.epoch ? control.epoch : [])),
    letInVain: refused.flatMap(({ node, control }) => {
      const isVain = certificatesIn(control).some(({ device }) => !devices.has(device));
      return isVain && canBeNamed(node) ? node : [];
    }),
    voidedInVain: refused.flatMap(({ node, control }) => (MAY_VOID.has(control.kind) && canBeNamed(node) ? node : [])),
    deleted: draft.deleted,
    vouchers: draft.vouchers,
  };
}

function include(draft: Draft, authority: Authority, accepted: Accepted): void {
  const { node, control } = accepted;
  const epoch = (notice: EpochNotice, lets: readonly Certificate[] = []) => {
    const key = authority.keyOf(accepted);
    draft.epochs.push({ notice, maker: node, key, lets: lets.map(({ device }) => device) });
  };
  switch (control.kind) {
    case 'genesis':
      draft.name = control.workspaceName;
      includePerson(draft, node, control.certificates, control.memberName);
      return epoch(control.epoch, control.certificates);
    case 'admit':
      includePerson(draft, node, control.certificates, control.memberName);
      if (control.seen) draft.vouchers.push({ ...control.seen, node });
      return epoch(control.epoch, control.certificates);
    case 'addDevice':
      includePerson(draft, node, control.certificates);
      return epoch(control.epoch, control.certificates);
    case 'invite': {
      const { publicKey, sealKey, role, expires, uses, confirm } = control;
      const inviter = authority.accountOf(node.delta.device)!;
      const id = node.delta.id;
      draft.invites.set(id, {
        id,
        inviter,
        publicKey,
        sealKey,
        role,
        expires,
        usesLeft: Math.max(0, uses - authority.usesOf(id)),
        confirm,
        revoked: false,
      });
      return;
    }
    case 'revoke': {
      const invite = draft.invites.get(control.invite);
      if (invite) draft.invites.set(invite.id, { ...invite, revoked: true });
      return;
    }
    case 'addTool':
      if (draft.toolWords.additionSeen(control.tool)?.node === node)
        draft.tools.set(control.tool, { tool: control.tool, kind: control.toolKind, name: control.name });
      return;
    case 'renameTool': {
      const tool = draft.tools.get(control.tool);
      if (tool) draft.tools.set(tool.tool, { ...tool, name: control.name });
      return;
    }
    case 'rename':
      draft.name = control.name;
      return;
    case 'profile':
      includeProfile(draft, authority, node, control);
      return;
    case 'remove':
      if (control.epoch) epoch(control.epoch);
      return;
    case 'epoch':
    case 'removeDevice':
    case 'drop':
    case 'freeze':
      return epoch(control.epoch);
    case 'checkpoint':
      draft.vouchers.push({ ...control.seen, node });
      return;
    case 'deleteWorkspace':
      draft.deleted ??= node;
      return;
    case 'setRole':
    case 'leave':
    case 'setPerm':
    case 'deleteTool':
    case 'ack':
      return;
  }
}

function includePerson(draft: Draft, node: Node, certificates: readonly Certificate[], name?: string): void {
  const account = certificates[0]!.account;
  const known = draft.people.get(account);
  const devices = known?.devices ?? new Map<DeviceId, DeviceRecord>();
  for (const certificate of certificates)
    devices.set(certificate.device, { certificate, relay: '', name: '', added: node.delta.time, letIn: node });
  draft.people.set(account, { name: name ?? known?.name ?? '', devices });
}

function includeProfile(draft: Draft, authority: Authority, node: Node, control: Control & { kind: 'profile' }): void {
  const account = authority.accountOf(node.delta.device);
  const person = account === undefined ? undefined : draft.people.get(account);
  const device = person?.devices.get(node.delta.device);
  if (!person || !device) return;
  person.name = control.name;
  person.devices.set(node.delta.device, { ...device, relay: control.relay, name: control.deviceName });
}
