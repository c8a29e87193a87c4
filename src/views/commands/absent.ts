/** Commands on devices that hold back the log, or have shown two histories (L7, D8); and on the way back of one that was dropped. */
import * as vscode from 'vscode';
import type { AbsentDevice, ClosedInfo, MemberDeviceInfo, MemberInfo, WorkspaceInfo } from '../../service/api.ts';
import { counts } from '../counts.ts';
import type { House } from '../house.ts';
import { notify } from '../notify.ts';
import { manages } from '../rights.ts';
import { doneSentences } from '../sentences.ts';
import { asNode, isNamed, pick, pickWorkspace } from '../targets.ts';
import { whyWords } from '../tree-item.ts';
import { saveWork } from './members.ts';

interface DeviceRow extends vscode.QuickPickItem {
  readonly device: AbsentDevice;
}

/** Those that hold back the log, to choose among; on the row of one, that one is chosen already. `given` stands for the choice. */
export async function dropDevices(house: House, argument?: unknown, given?: unknown): Promise<void> {
  const node = asNode(argument);
  const workspace = await pickWorkspace(house, argument, manages);
  if (workspace === undefined) return;
  const absent = await house.say.guard(async () => (await house.session.api()).absentDevices(workspace.id));
  if (absent === undefined) return;
  const rows = absent
    .filter(({ mayTakeOut }) => mayTakeOut)
    .map((device) => rowOf(device, node?.kind === 'device' && node.device.device === device.device));
  if (rows.length === 0) {
    const none = vscode.l10n.t('No device that you may drop is absent from {0}.', workspace.name);
    void notify('information', none);
    return;
  }
  const title = vscode.l10n.t('Drop Devices from {0}', workspace.name);
  const placeHolder = vscode.l10n.t('Choose those that the others need not wait for any more');
  const chosen = Array.isArray(given)
    ? rows.filter(({ device }) => given.includes(device.device))
    : await vscode.window.showQuickPick(rows, { title, placeHolder, canPickMany: true });
  if (chosen === undefined || chosen.length === 0) return;
  if (!Array.isArray(given) && !(await mayDrop(workspace, chosen))) return;
  await house.say.guard(async () => {
    const devices = chosen.map(({ device }) => device.device);
    await (await house.session.api()).dropDevices(workspace.id, devices);
    void house.say.show(doneSentences.devicesDropped, {
      devices: counts.devices(devices.length),
      name: workspace.name,
    });
  });
}

function rowOf(device: AbsentDevice, picked: boolean): DeviceRow {
  const { name, member, online } = device;
  return {
    label: member,
    description: [name, ...(online ? [vscode.l10n.t('online')] : [])].filter((part) => part !== '').join(' · '),
    detail: whyWords(device),
    picked,
    device,
  };
}

async function mayDrop(workspace: WorkspaceInfo, chosen: readonly DeviceRow[]): Promise<boolean> {
  const yes = vscode.l10n.t('Drop');
  const names = chosen.map(({ label, device }) => (device.name === '' ? label : `${label} (${device.name})`));
  const answer = await vscode.window.showWarningMessage(
    vscode.l10n.t('Drop {0} from {1}?', counts.devices(chosen.length), workspace.name),
    {
      modal: true,
      detail: [
        names.join('\n'),
        vscode.l10n.t(
          'The others wait for them no more. Their people stay members; the copies there are erased at the next contact, and one click brings a fresh one. What was written there and has not arrived is kept there, and can be put back.',
        ),
      ].join('\n\n'),
    },
    yes,
  );
  return answer === yes;
}

interface Forked {
  readonly workspace: WorkspaceInfo;
  readonly member: MemberInfo;
  readonly device: MemberDeviceInfo;
}

/** Of the devices that have shown two histories, the one whose row it was called on, whose id is `device`, or one that is picked. */
export async function freezeDevice(house: House, argument?: unknown, device?: unknown): Promise<void> {
  const node = asNode(argument);
  const all = house.list.workspaces.filter(manages).flatMap((workspace) => forkedIn(workspace));
  const wanted = node?.kind === 'device' ? node.device.device : device;
  const within = node === undefined ? argument : 'workspace' in node ? node.workspace.id : undefined;
  const place =
    all.find((one) => one.device.device === wanted && one.workspace.id === within) ??
    (await pick(
      isNamed(argument) ? [] : all,
      vscode.l10n.t('Freeze Device'),
      (one) => ({
        label: one.member.name,
        description: [one.device.name, one.workspace.name].filter((part) => part !== '').join(' · '),
        detail: vscode.l10n.t('has shown two histories'),
      }),
      vscode.l10n.t('Choose the one of which nothing more is to count'),
    ));
  if (place === undefined) return;
  const { workspace, member } = place;
  const yes = vscode.l10n.t('Freeze');
  const answer = await vscode.window.showWarningMessage(
    vscode.l10n.t(
      'Freeze {0} of {1} in {2}?',
      place.device.name || vscode.l10n.t('A device'),
      member.name,
      workspace.name,
    ),
    {
      modal: true,
      detail: vscode.l10n.t(
        'It has shown two histories: a restored back-up, or a stolen key. What it had written before they part stands for everybody; nothing else of it counts, and it reads nothing new. There is no way back for this device: {0} goes on with another one, or is removed and invited again with a new one.',
        member.name,
      ),
    },
    yes,
  );
  if (answer !== yes) return;
  await house.say.guard(async () => {
    await (await house.session.api()).freezeDevice(workspace.id, place.device.device);
    void house.say.show(doneSentences.deviceFrozen, { member: member.name, name: workspace.name });
  });
}

function forkedIn(workspace: WorkspaceInfo): readonly Forked[] {
  return workspace.members.flatMap((member) =>
    member.devices
      .filter(({ forked, mayTakeOut }) => forked && mayTakeOut)
      .map((device) => ({ workspace, member, device })),
  );
}

// ---- the way back -------------------------------------------------------------------------------------------------------

async function pickClosed(
  house: House,
  argument: unknown,
  may: (closed: ClosedInfo) => boolean,
): Promise<ClosedInfo | undefined> {
  const node = asNode(argument);
  const all = house.list.lists.closed.filter(may);
  const id = node?.kind === 'closed' ? node.closed.id : argument;
  const named = all.find((closed) => closed.id === id);
  if (named !== undefined) return named;
  return pick(isNamed(argument) ? [] : all, vscode.l10n.t('Workspace'), ({ name }) => ({ label: name }));
}

/** L7: this machine was dropped. */
export async function fetchAgain(house: House, argument?: unknown): Promise<void> {
  await house.list.reload();
  const closed = await pickClosed(house, argument, ({ how, isBack }) => how === 'dropped' && !isBack);
  if (closed === undefined) return;
  await house.say.guard(async () => {
    await (await house.session.api()).fetchAgain(closed.id);
    void house.say.show(doneSentences.asksToReturn, { name: closed.name });
  });
}

export async function putBack(house: House, argument?: unknown): Promise<void> {
  await house.list.reload();
  const closed = await pickClosed(house, argument, ({ isBack, work }) => isBack && work.length > 0);
  if (closed === undefined) return;
  await house.say.guard(async () => {
    const { posts, files, deeds, left } = await (await house.session.api()).putBack(closed.id);
    const done = [
      ...(posts > 0 ? [counts.messages(posts)] : []),
      ...(files > 0 ? [counts.files(files)] : []),
      ...(deeds > 0 ? [counts.deeds(deeds)] : []),
    ];
    const what = done.length === 0 ? vscode.l10n.t('nothing') : done.join(', ');
    const detail = { name: closed.name, what, left: String(left) };
    if (left === 0) return void house.say.show(doneSentences.putBack, detail);
    const save = vscode.l10n.t('Save Unsent Work…');
    if ((await house.say.show(doneSentences.putBackSome, detail, save)) === save) await saveWork(house, closed.id);
  });
}
