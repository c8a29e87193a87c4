/** What the accepted control deltas add up to, in D6 order: names, members, devices, tools, invitations, epochs. */
import type { AccountId, DeltaId, DeviceId, ToolId } from '../base/ids.ts';
import type { Certificate } from '../protocol/certificate.ts';
import type { Accepted, Authority, Key } from './authority.ts';
import type { Role, Control } from './control.ts';
import type { EpochNotice } from './epoch.ts';
import type { Node } from './graph.ts';

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
  readonly tools: ReadonlyMap<ToolId, ToolRecord>;
  readonly invites: ReadonlyMap<DeltaId, InviteRecord>;
  /** Every notice with boxes: a joiner's admit boxes an epoch that an earlier one made. */
  readonly epochs: readonly EpochRecord[];
}

interface Draft {
  name: string;
  readonly people: Map<AccountId, { name: string; readonly devices: Map<DeviceId, DeviceRecord> }>;
  readonly tools: Map<ToolId, ToolRecord>;
  readonly invites: Map<DeltaId, InviteRecord>;
  readonly epochs: EpochRecord[];
}

export function rosterOf(authority: Authority): Roster {
  const draft: Draft = { name: '', people: new Map(), tools: new Map(), invites: new Map(), epochs: [] };
  for (const accepted of authority.accepted) include(draft, authority, accepted);
  const members = new Map<AccountId, Member>();
  const devices = new Map<DeviceId, Member>();
  const records = new Map<DeviceId, DeviceRecord>();
  const gone = new Map<DeviceId, Node>();
  for (const [account, person] of draft.people) {
    const best = authority.bestCredential(account);
    if (!best) {
      const word = authority.departureOf(account);
      if (word) for (const device of person.devices.keys()) gone.set(device, word);
      continue;
    }
    const member: Member = {
      account,
      name: person.name,
      role: best.role,
      credential: best.id,
      devices: [...person.devices.values()],
    };
    members.set(account, member);
    for (const [device, record] of person.devices) {
      devices.set(device, member);
      records.set(device, record);
    }
  }
  return {
    name: draft.name,
    members,
    devices,
    names: new Map([...draft.people].map(([account, { name }]) => [account, name])),
    records,
    gone,
    tools: draft.tools,
    invites: draft.invites,
    epochs: draft.epochs,
  };
}

function include(draft: Draft, authority: Authority, accepted: Accepted): void {
  const { node, control } = accepted;
  const epoch = (notice: EpochNotice, lets: readonly DeviceId[] = []) =>
    draft.epochs.push({ notice, maker: node, key: authority.keyOf(accepted), lets });
  switch (control.kind) {
    case 'genesis':
      draft.name = control.workspaceName;
      includePerson(draft, control);
      epoch(
        control.epoch,
        control.certificates.map(({ device }) => device),
      );
      return;
    case 'admit': {
      includePerson(draft, control);
      epoch(
        control.epoch,
        control.certificates.map(({ device }) => device),
      );
      return;
    }
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
      if (!draft.tools.has(control.tool)) {
        draft.tools.set(control.tool, { tool: control.tool, kind: control.toolKind, name: control.name });
      }
      return;
    case 'renameTool': {
      const tool = draft.tools.get(control.tool);
      if (tool) draft.tools.set(tool.tool, { ...tool, name: control.name });
      return;
    }
    case 'deleteTool':
      draft.tools.delete(control.tool);
      return;
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
      epoch(control.epoch);
      return;
    case 'setRole':
    case 'leave':
    case 'setPerm':
    case 'ack':
      return;
  }
}

function includePerson(draft: Draft, control: Control & { kind: 'genesis' | 'admit' }): void {
  const account = control.certificates[0]!.account;
  const devices = draft.people.get(account)?.devices ?? new Map<DeviceId, DeviceRecord>();
  for (const certificate of control.certificates) devices.set(certificate.device, { certificate, relay: '' });
  draft.people.set(account, { name: control.memberName, devices });
}

function includeProfile(draft: Draft, authority: Authority, node: Node, control: Control & { kind: 'profile' }): void {
  const account = authority.accountOf(node.delta.device);
  const person = account === undefined ? undefined : draft.people.get(account);
  const device = person?.devices.get(node.delta.device);
  if (!person || !device) return;
  person.name = control.name;
  person.devices.set(node.delta.device, { ...device, relay: control.relay });
}
