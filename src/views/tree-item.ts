/** How a row looks and what a screen reader says of it. */
import * as vscode from 'vscode';
import type {
  ClosedInfo,
  FileEntry,
  JoinInfo,
  MemberDeviceInfo,
  MemberInfo,
  OfferInfo,
  Role,
  SyncInfo,
  WorkspaceInfo,
} from '../service/api.ts';
import { amount } from './amounts.ts';
import { rowUri, uriOf } from './files/uri.ts';
import { besideNumber } from './plain.ts';
import { lacksManager } from './rights.ts';
import { contextValue, isRemarkable, type Node, nodeId, showsDevices } from './tree-nodes.ts';

const { Collapsed, Expanded, None } = vscode.TreeItemCollapsibleState;

export function treeItem(node: Node): vscode.TreeItem {
  const item = lookOf(node);
  item.id = nodeId(node);
  item.contextValue = contextValue(node);
  return item;
}

function lookOf(node: Node): vscode.TreeItem {
  switch (node.kind) {
    case 'workspace':
      return workspaceItem(node.workspace);
    case 'tool': {
      const { tool, workspace } = node;
      const item = new vscode.TreeItem(tool.name, tool.kind === 'files' ? Collapsed : None);
      item.iconPath = new vscode.ThemeIcon(tool.kind === 'files' ? 'files' : 'comment-discussion');
      item.resourceUri = rowUri(workspace.id, tool.id);
      item.tooltip = tool.name;
      item.accessibilityInformation = { label: [tool.name, ...unreadWords(tool.unread)].join(', ') };
      if (tool.kind === 'chat') {
        item.command = { command: 'coterie.openChat', title: vscode.l10n.t('Open Chat'), arguments: [node] };
      }
      return item;
    }
    case 'members': {
      const item = new vscode.TreeItem(vscode.l10n.t('Members'), Collapsed);
      item.iconPath = new vscode.ThemeIcon('organization');
      const online = node.workspace.members.filter(({ presence }) => presence !== 'offline');
      const words = [
        String(node.workspace.members.length),
        // Whoever has it open is online himself, which is no news.
        ...(online.some(({ self }) => !self) ? [vscode.l10n.t('{0} online', online.length)] : []),
        ...(node.requests.length > 0 ? [vscode.l10n.t('{0} asking to join', node.requests.length)] : []),
      ];
      item.description = words.join(' · ');
      item.accessibilityInformation = { label: [vscode.l10n.t('Members'), ...words].join(', ') };
      item.tooltip = '';
      return item;
    }
    case 'member':
      return memberItem(node.member);
    case 'device':
      return deviceItem(node.device);
    case 'request': {
      const { request } = node;
      const item = new vscode.TreeItem(request.name, None);
      item.iconPath = new vscode.ThemeIcon('person-add', new vscode.ThemeColor('coterie.unreadForeground'));
      item.description = vscode.l10n.t('asks to join as {0}', roleWord(request.role));
      item.tooltip = lines(
        `${besideNumber(request.name)}: ${item.description}`,
        `${vscode.l10n.t('Safety number')}: ${request.safetyNumber}`,
        vscode.l10n.t(
          'It is the same on both sides if nobody stands between you: compare it by voice before you accept.',
        ),
      );
      item.command = { command: 'coterie.answerJoinRequests', title: vscode.l10n.t('Answer'), arguments: [node] };
      return item;
    }
    case 'join':
      return joinItem(node.join);
    case 'offer':
      return offerItem(node, node.offer);
    case 'closed':
      return closedItem(node.closed);
    case 'entry':
      return entryItem(node.workspace.id, node.tool, node.path, node.entry);
  }
}

function workspaceItem(workspace: WorkspaceInfo): vscode.TreeItem {
  const item = new vscode.TreeItem(workspace.name, Expanded);
  item.resourceUri = rowUri(workspace.id);
  const isDeleted = workspace.state === 'closed';
  const sync = syncWords(workspace.sync);
  const doubts = isDeleted ? [] : doubtWords(workspace.sync);
  item.iconPath = new vscode.ThemeIcon(isDeleted ? 'circle-slash' : doubts.length > 0 ? 'warning' : 'layers');
  const noManager = lacksManager(workspace) ? [vscode.l10n.t('no manager')] : [];
  // What the bar cuts off is least of all to be lost.
  const words = isDeleted ? [vscode.l10n.t('deleted')] : [...doubts, ...noManager, sync].filter((part) => part !== '');
  item.description = words.join(' · ');
  item.tooltip = lines(
    workspace.name,
    ...(isDeleted ? [deletedWords()] : [sync, ...relayedWords(workspace.sync)]),
    ...(workspace.role === undefined ? [] : [vscode.l10n.t('Your role: {0}', roleWord(workspace.role))]),
    ...missingWords(workspace.sync),
    ...doubts,
    ...(isDeleted ? [] : doubtSentences(workspace.sync)),
    ...(lacksManager(workspace) ? [noManagerWords()] : []),
  );
  const label = [workspace.name, ...words, ...unreadWords(workspace.unread)].join(', ');
  item.accessibilityInformation = { label };
  return item;
}

/** A8. */
function deletedWords(): string {
  return vscode.l10n.t(
    'Deleted for all members: nothing can be written in it any more. Your copy stays until you remove it from the list: export first what you want to keep.',
  );
}

/** A7. */
function noManagerWords(): string {
  return vscode.l10n.t(
    'No manager is left: nobody can remove members, change roles or permissions, or delete it. All else goes on.',
  );
}

function memberItem(member: MemberInfo): vscode.TreeItem {
  const item = new vscode.TreeItem(member.name, showsDevices(member) ? Collapsed : None);
  const remarks = member.devices.filter(isRemarkable).map(deviceWords);
  const [icon, color] = presenceIcons[member.presence];
  item.iconPath = new vscode.ThemeIcon(icon, color === undefined ? undefined : new vscode.ThemeColor(color));
  const verified = member.verified ? [`✓ ${vscode.l10n.t('verified')}`] : [];
  item.description = [
    ...(member.self ? [vscode.l10n.t('you')] : []),
    roleWord(member.role),
    ...(member.self ? [] : verified),
    ...(remarks.length > 0
      ? [remarks.length === 1 ? remarks[0]! : vscode.l10n.t('{0} devices to look at', remarks.length)]
      : []),
  ].join(' · ');
  const presence = presenceWord(member.presence);
  const others = member.self
    ? []
    : [
        member.verified
          ? vscode.l10n.t('Verified')
          : vscode.l10n.t('Not verified: compare the safety number by voice.'),
        `${vscode.l10n.t('Safety number')}: ${member.safetyNumber}`,
        member.inSync ? vscode.l10n.t('Holds all that you hold') : vscode.l10n.t('Not known to hold all that you hold'),
      ];
  const reasons = member.devices.filter(isRemarkable).map((device) => {
    return [besideNumber(device.name), whyWords(device)].filter((part) => part !== '').join(': ');
  });
  item.tooltip = lines(`${besideNumber(member.name)} (${roleWord(member.role)})`, presence, ...others, ...reasons);
  item.accessibilityInformation = {
    label: [
      ...[member.name, roleWord(member.role), presence],
      ...(member.verified ? [vscode.l10n.t('verified')] : []),
      ...remarks,
    ].join(', '),
  };
  return item;
}

function deviceItem(device: MemberDeviceInfo): vscode.TreeItem {
  const { name, self, online, standing } = device;
  const label = name === '' ? vscode.l10n.t('A device') : name;
  const item = new vscode.TreeItem(label, None);
  item.iconPath = new vscode.ThemeIcon(isRemarkable(device) ? deviceIcons[standing] : 'device-desktop');
  const words = isRemarkable(device) ? deviceWords(device) : online ? presenceWord('online') : presenceWord('offline');
  item.description = [...(self ? [vscode.l10n.t('this machine')] : []), words].join(' · ');
  const why = whyWords(device) || words;
  item.tooltip = lines(label, why, ...deviceSentence(device));
  item.accessibilityInformation = { label: [label, why].join(', ') };
  return item;
}

const deviceIcons: Readonly<Record<MemberDeviceInfo['standing'], string>> = {
  active: 'warning',
  dropped: 'debug-disconnect',
  frozen: 'lock',
};

/** In so few words that a row of a narrow bar has room for them. */
export function deviceWords({ standing, forked, absentSince, by }: MemberDeviceInfo): string {
  if (standing === 'dropped') return vscode.l10n.t('dropped by {0}', by ?? '');
  if (standing === 'frozen') return vscode.l10n.t('frozen by {0}', by ?? '');
  if (forked) return vscode.l10n.t('two histories');
  return absentSince === undefined ? '' : vscode.l10n.t('absent since {0}', dateWords(absentSince));
}

/** The same with what it comes from. */
export function whyWords({ standing, forked, absentSince, by }: MemberDeviceInfo): string {
  if (standing === 'dropped') return vscode.l10n.t('dropped by {0}: was away for long', by ?? '');
  if (standing === 'frozen') return vscode.l10n.t('frozen by {0}: has shown two histories', by ?? '');
  if (forked) return vscode.l10n.t('has shown two histories');
  return absentSince === undefined ? '' : vscode.l10n.t('absent since {0}', dateWords(absentSince));
}

function dateWords(time: number): string {
  return new Date(time).toLocaleDateString(vscode.env.language, { dateStyle: 'short' });
}

/** What that means, and what can be done. */
function deviceSentence({ standing, forked, absentSince }: MemberDeviceInfo): readonly string[] {
  if (standing === 'dropped')
    return [vscode.l10n.t('Its person is a member still. When it is back, one click there brings it a fresh copy.')];
  if (standing === 'frozen')
    return [
      vscode.l10n.t(
        'What it had shown before that stands; nothing else of it counts. Its person goes on with another device, or is removed and invited again with a new one.',
      ),
    ];
  if (forked)
    return [
      vscode.l10n.t(
        'A restored back-up, or a stolen key: nothing more is taken from it. A manager can freeze it, so that everybody holds to the same.',
      ),
    ];
  return absentSince === undefined
    ? []
    : [vscode.l10n.t('Nothing that it has not acknowledged can be forgotten by anybody. A manager can drop it.')];
}

function offerItem(node: Node, { newName, name, by, role }: OfferInfo): vscode.TreeItem {
  const item = new vscode.TreeItem(newName, None);
  item.iconPath = new vscode.ThemeIcon('mail', new vscode.ThemeColor('coterie.unreadForeground'));
  item.description = vscode.l10n.t('{0} asks you along', by);
  item.tooltip = lines(
    newName,
    vscode.l10n.t('{0} continues {1} here, and asks you along as {2}.', by, name, roleWord(role)),
  );
  item.accessibilityInformation = { label: [newName, item.description].join(', ') };
  item.command = { command: 'coterie.answerOffer', title: vscode.l10n.t('Answer'), arguments: [node] };
  return item;
}

function closedItem({ name, how, by, at, work, isBack, isAsking }: ClosedInfo): vscode.TreeItem {
  const item = new vscode.TreeItem(name, None);
  item.iconPath = new vscode.ThemeIcon(isAsking ? 'sync~spin' : isBack ? 'archive' : 'circle-slash');
  const state = isBack
    ? vscode.l10n.t('from before this machine was taken out')
    : isAsking
      ? vscode.l10n.t('asking to come back…')
      : undefined;
  const why = state ?? closedWords(how, by);
  const short = state ?? shortClosedWords(how, by);
  const kept = work.length === 0 ? [] : [keptWords(work)];
  item.description = (isBack ? [...kept, short] : [short, ...kept]).join(' · ');
  item.tooltip = lines(name, `${why}, ${new Date(at).toLocaleString(vscode.env.language)}`, ...kept);
  item.accessibilityInformation = { label: [name, why, ...kept].join(', ') };
  return item;
}

/** Own work of a workspace that nobody has received. */
export function keptWords(work: ClosedInfo['work']): string {
  return vscode.l10n.t('unsent work: {0}', work.length);
}

/** Of what has a longer reason: a row of a narrow bar has no room for it. */
function shortClosedWords(how: ClosedInfo['how'], by: string): string {
  if (how === 'dropped') return vscode.l10n.t('dropped by {0}', by);
  if (how === 'letInVain') return vscode.l10n.t('let in by somebody who was out');
  if (how === 'overtaken') return vscode.l10n.t('let in too late');
  return how === 'frozen' ? vscode.l10n.t('frozen by {0}', by) : closedWords(how, by);
}

function closedWords(how: ClosedInfo['how'], by: string): string {
  switch (how) {
    case 'left':
      return vscode.l10n.t('you have left');
    case 'device':
      return vscode.l10n.t('taken out by another of your devices');
    case 'dropped':
      return vscode.l10n.t('{0} has dropped this machine: it was away for long', by);
    case 'frozen':
      return vscode.l10n.t('{0} has frozen this machine: it has shown two histories', by);
    case 'letInVain':
      return vscode.l10n.t('{0} had already taken out whoever let you in', by);
    case 'overtaken':
      return vscode.l10n.t('{0} had let in somebody else at the same time, or changed who may invite', by);
    case 'removed':
      return vscode.l10n.t('{0} has removed you', by);
  }
}

function joinItem(join: JoinInfo): vscode.TreeItem {
  const item = new vscode.TreeItem(join.workspaceName, None);
  item.iconPath = new vscode.ThemeIcon(join.state === 'waiting' ? 'watch' : 'sync~spin');
  item.description = joinWords(join);
  item.tooltip = lines(join.workspaceName, item.description, ...joinSentence(join));
  item.accessibilityInformation = { label: [join.workspaceName, item.description].join(', ') };
  return item;
}

/** How far it is, in so few words that a row of a narrow bar has room for them. */
export function joinWords({ state, reason, doneBytes, totalBytes }: JoinInfo): string {
  if (state === 'waiting') return vscode.l10n.t('waiting for confirmation…');
  if (state !== 'asking')
    return totalBytes === 0 ? amount(doneBytes) : vscode.l10n.t('{0} of {1}', amount(doneBytes), amount(totalBytes));
  return reason === 'takenOut' ? vscode.l10n.t('perhaps taken out…') : vscode.l10n.t('looking for a member…');
}

/** What that means, and what comes next. */
function joinSentence({ state, reason }: JoinInfo): readonly string[] {
  if (state === 'waiting')
    return [
      vscode.l10n.t('Somebody there has to accept your request. It opens by itself then; you can go on working.'),
    ];
  if (state !== 'asking') return [];
  return [
    reason === 'takenOut'
      ? vscode.l10n.t(
          'A member says that you were taken out meanwhile; who invited you has not said so. Leave VS Code open: you are told as soon as that machine is online.',
        )
      : vscode.l10n.t(
          'Nobody who can let you in has answered yet. Leave VS Code open: it goes on by itself as soon as one is online.',
        ),
  ];
}

function entryItem(workspace: string, tool: string, path: string, entry: FileEntry): vscode.TreeItem {
  const uri = uriOf({ workspace, tool, path });
  const folder = entry.kind === 'folder';
  const item = new vscode.TreeItem(entry.name, folder ? Collapsed : None);
  item.resourceUri = uri;
  if (folder) {
    item.iconPath = vscode.ThemeIcon.Folder;
  } else {
    item.iconPath = vscode.ThemeIcon.File;
    item.command = { command: 'vscode.open', title: vscode.l10n.t('Open'), arguments: [uri] };
  }
  const notes = [
    ...(entry.conflictOf === undefined ? [] : [vscode.l10n.t('conflict copy of {0}', entry.conflictOf)]),
    ...(entry.present || folder ? [] : [vscode.l10n.t('not here yet')]),
  ];
  if (notes.length > 0) item.description = notes.join(' · ');
  item.tooltip = lines(path, ...(folder ? [] : [amount(entry.bytes)]), ...notes);
  item.accessibilityInformation = {
    label: [entry.name, ...notes, ...(entry.unread ? [vscode.l10n.t('unread')] : [])].join(', '),
  };
  return item;
}

/** 'in sync with 3 of 4', or nothing for one who is alone. */
export function syncWords({ others, inSync }: SyncInfo): string {
  return others === 0 ? '' : vscode.l10n.t('in sync with {0} of {1}', inSync, others);
}

/** Who has not got everything yet, and will have it from the relay though this machine is off. */
export function relayedWords({ relayed }: SyncInfo): string[] {
  return relayed === 0 ? [] : [vscode.l10n.t('waiting at the relay for {0} more', relayed)];
}

export function missingWords({ missingBytes }: SyncInfo): string[] {
  return missingBytes === 0 ? [] : [vscode.l10n.t('{0} on the way', amount(missingBytes))];
}

/** Where copies of the same do not look the same (L6, D8, D10). */
export function doubtWords({ differing, outOfStep, newer, renewing }: SyncInfo): string[] {
  return [
    ...(differing.length > 0 ? [vscode.l10n.t('not the same as with {0}', differing.join(', '))] : []),
    ...(outOfStep ? [vscode.l10n.t('out of step')] : []),
    ...(newer.length > 0 ? [vscode.l10n.t('update Coterie')] : []),
    ...(renewing ? [vscode.l10n.t('fetching a fresh copy')] : []),
  ];
}

/** What that means, and what can be done. */
function doubtSentences({ differing, outOfStep, newer }: SyncInfo): readonly string[] {
  return [
    ...(differing.length > 0
      ? [
          vscode.l10n.t(
            'Both hold the same changes, and they do not add up to the same. Nothing is lost: make sure that both use the newest Coterie. Where one of the two is wrong, “Fetch a Fresh Copy of a Workspace…” puts it right.',
          ),
        ]
      : []),
    ...(outOfStep
      ? [
          vscode.l10n.t(
            'Some things may look another way here than with the others. “Fetch a Fresh Copy of a Workspace…” puts it right.',
          ),
        ]
      : []),
    ...(newer.length > 0
      ? [
          vscode.l10n.t(
            'Written with a newer Coterie, by {0}: what this version does not know is kept, and shows once you have updated the extension.',
            newer.join(', '),
          ),
        ]
      : []),
  ];
}

export function unreadWords(unread: number): string[] {
  return unread === 0 ? [] : [vscode.l10n.t('{0} unread', unread)];
}

export function roleWord(role: Role): string {
  switch (role) {
    case 'manager':
      return vscode.l10n.t('manager');
    case 'participant':
      return vscode.l10n.t('participant');
    case 'guest':
      return vscode.l10n.t('guest');
  }
}

function presenceWord(presence: MemberInfo['presence']): string {
  switch (presence) {
    case 'online':
      return vscode.l10n.t('online');
    case 'idle':
      return vscode.l10n.t('idle');
    case 'offline':
      return vscode.l10n.t('offline');
  }
}

/** By shape too: colour alone tells nothing to some. */
const presenceIcons: Readonly<Record<MemberInfo['presence'], readonly [string, string | undefined]>> = {
  online: ['circle-filled', 'coterie.onlineForeground'],
  idle: ['color-mode', 'coterie.idleForeground'],
  offline: ['circle-outline', undefined],
};

function lines(...parts: readonly string[]): string {
  return parts.filter((part) => part !== '').join('\n');
}
