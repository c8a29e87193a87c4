/** What the service wants the person to know, and who joins or asks to. */
import * as vscode from 'vscode';
import { type Disposable, DisposableStore } from '../base/disposable.ts';
import type { JoinRequestInfo, ServiceEvent, WorkspaceInfo } from '../service/api.ts';
import { askAboutOffer } from './commands/continuing.ts';
import { askAboutDevice } from './commands/devices.ts';
import { Conflicts } from './conflicts.ts';
import type { House } from './house.ts';
import { notify } from './notify.ts';
import { besideNumber } from './plain.ts';
import { noticeSentences, stalledSentence } from './sentences.ts';
import { lacksManager, manages } from './rights.ts';
import { roleWord } from './tree-item.ts';
import { hasWork } from './tree-nodes.ts';

/** Requests and offers that this window has put before its person already, as long as they stand; and devices that ask, by their number. */
const shown = new Set<string>();
const shownDevices = new Set<string>();

export function showNotices(house: House): Disposable {
  const held = new DisposableStore();
  const conflicts = held.add(new Conflicts(house));
  held.add(
    house.session.events((event) => {
      if (event.type === 'notice' && event.code === 'conflict') conflicts.add(event);
      else void show(house, event);
    }),
  );
  held.add(house.list.onChange(({ workspaces }) => void tellNoManager(house, workspaces)));
  held.add(
    house.list.onChange(({ requests, offers }) => {
      const standing = new Set([...requests, ...offers].map(({ id }) => id));
      // The same device asks under the same id when it asks again.
      for (const id of shown) if (!standing.has(id)) shown.delete(id);
    }),
  );
  held.add(house.session.onStalled((stalled) => stalled && void house.say.once('stalled', stalledSentence, {})));
  return held;
}

async function show(house: House, event: ServiceEvent): Promise<void> {
  switch (event.type) {
    case 'notice': {
      const about = `${event.code} ${event.workspace ?? ''} ${Object.values(event.detail).join(' ')}`;
      house.say.log.warn(`notice ${event.code}`);
      // Of what a peer may repeat at will, one is told per workspace.
      const key =
        event.code === 'badDelta' || event.code === 'relayFull' ? `${event.code} ${event.workspace ?? ''}` : about;
      const offers = await offersOf(house, event);
      const titles = offers.map(({ title }) => title);
      const answer = await house.say.once(key, noticeSentences[event.code], event.detail, ...titles);
      const offer = offers.find(({ title }) => title === answer);
      if (offer !== undefined)
        await vscode.commands.executeCommand(offer.command, event.workspace, ...(offer.more ?? []));
      return;
    }
    case 'joinRequest':
      if (shown.has(event.request.id)) return;
      shown.add(event.request.id);
      await askAboutRequest(house, event.request);
      return;
    case 'joined': {
      const name = house.list.workspace(event.workspace)?.name ?? '';
      await notify('information', vscode.l10n.t('{0} joined {1}.', event.name, name));
      return;
    }
    case 'deviceRequest':
      if (shownDevices.has(event.request.number)) return;
      shownDevices.add(event.request.number);
      await askAboutDevice(house, event.request);
      return;
    case 'offer':
      if (shown.has(event.offer.id)) return;
      shown.add(event.offer.id);
      await askAboutOffer(house, event.offer);
      return;
    case 'devices':
    case 'link':
    case 'workspaces':
    case 'files':
    case 'chat':
    case 'relay':
    case 'join':
    case 'import':
      return;
  }
}

interface Offer {
  readonly title: string;
  readonly command: string;
  readonly more?: readonly unknown[];
}

/** What can be done about it at once. */
async function offersOf(house: House, notice: ServiceEvent & { type: 'notice' }): Promise<readonly Offer[]> {
  const save = { title: vscode.l10n.t('Save Unsent Work…'), command: 'coterie.saveWork' };
  switch (notice.code) {
    case 'absent':
      return [{ title: vscode.l10n.t('Drop Devices…'), command: 'coterie.dropDevices' }];
    case 'dropped':
      return [{ title: vscode.l10n.t('Fetch a Fresh Copy'), command: 'coterie.fetchAgain' }];
    case 'outOfStep':
    case 'diverged':
      return [{ title: vscode.l10n.t('Fetch a Fresh Copy…'), command: 'coterie.renewCopy' }];
    case 'newerVersion':
      return [{ title: vscode.l10n.t('Look for Updates'), command: 'workbench.extensions.action.checkForUpdates' }];
    case 'renewed':
      return [{ title: vscode.l10n.t('Show What Was Not Accepted…'), command: 'coterie.showNotAccepted' }];
    case 'workWaits':
      return [{ title: vscode.l10n.t('Put It Back'), command: 'coterie.putBack' }, save];
    case 'permissionsChanged':
      return [{ title: vscode.l10n.t('Permissions…'), command: 'coterie.permissions' }];
    case 'removed':
    case 'deviceRemoved':
    case 'frozen':
    case 'notLetIn':
    case 'letInVain':
    case 'overtaken':
      return (await holdsWork(house, notice.workspace)) ? [save] : [];
    case 'fork':
      return freezing(house, notice);
    default:
      return [];
  }
}

/** Whether there is unsent work of this person's to be saved. */
async function holdsWork({ list }: House, workspace: string | undefined): Promise<boolean> {
  await list.reload();
  return list.lists.closed.some((closed) => closed.id === workspace && hasWork(closed));
}

function freezing({ list }: House, { workspace, detail }: ServiceEvent & { type: 'notice' }): readonly Offer[] {
  const info = workspace === undefined ? undefined : list.workspace(workspace);
  if (info === undefined || !manages(info)) return [];
  return [{ title: vscode.l10n.t('Freeze Device…'), command: 'coterie.freezeDevice', more: [detail['device']] }];
}

const NO_MANAGER_KEY = 'coterie.noManager';

/** A7: once of each workspace, whatever window is open and however often; its row goes on saying so. */
async function tellNoManager(house: House, workspaces: readonly WorkspaceInfo[]): Promise<void> {
  const { globalState } = house.context;
  const told = globalState.get<readonly string[]>(NO_MANAGER_KEY, []);
  const lacking = workspaces.filter(lacksManager);
  const news = lacking.filter(({ id }) => !told.includes(id));
  // One that is not listed may be once more: there is no list while the service cannot be reached.
  const unlisted = told.filter((id) => workspaces.every((one) => one.id !== id));
  const now = [...lacking.map(({ id }) => id), ...unlisted];
  if (now.join() !== told.join()) await globalState.update(NO_MANAGER_KEY, now);
  for (const { id, name } of news) {
    const go = vscode.l10n.t('Continue in a New Workspace…');
    const words = vscode.l10n.t(
      'No manager is left in {0}: nobody can remove members, change roles or permissions, or delete it. All else goes on.',
      name,
    );
    if ((await notify('warning', words, go)) === go)
      await vscode.commands.executeCommand('coterie.continueWorkspace', id);
  }
}

/** Accept, decline, or leave it for later: it stays in the tree. */
export async function askAboutRequest(house: House, request: JoinRequestInfo): Promise<void> {
  const accept = vscode.l10n.t('Accept');
  const decline = vscode.l10n.t('Decline');
  const workspace = house.list.workspace(request.workspace)?.name ?? '';
  const answer = await notify(
    'information',
    vscode.l10n.t('{name} asks to join {workspace} as {role}. Safety number: {number}', {
      name: besideNumber(request.name),
      workspace: besideNumber(workspace),
      role: roleWord(request.role),
      number: request.safetyNumber,
    }),
    accept,
    decline,
  );
  if (answer === undefined) return;
  await house.say.guard(async () => (await house.session.api()).answerJoin(request.id, answer === accept));
}
