/** Commands about the devices of this person (I2): add, link, show, rename, remove. */
import * as vscode from 'vscode';
import { DisposableStore } from '../../base/disposable.ts';
import type { DeviceInfo, DeviceRequestInfo, LinkInfo } from '../../service/api.ts';
import type { House } from '../house.ts';
import { linkCodeOfText } from '../invitation-text.ts';
import { notifyWhile } from '../notify.ts';
import { besideNumber } from '../plain.ts';
import { doneSentences, linkSentences } from '../sentences.ts';
import { mayGoAside } from './recovery.ts';

/** On a device that is there already. Answers the code, for other commands. */
export async function addDevice(house: House): Promise<string | undefined> {
  return house.say.guard(async () => {
    const api = await house.session.api();
    const [asking] = await api.deviceRequests();
    if (asking !== undefined) {
      void askAboutDevice(house, asking);
      return undefined;
    }
    const { code, expires } = await api.makeLinkCode(vscode.env.uriScheme);
    await vscode.env.clipboard.writeText(code);
    void waitForDevice(house, expires);
    return code;
  });
}

/** Until somebody comes with the code, it expires, or the person wants it no more. */
async function waitForDevice(house: House, expires: number): Promise<void> {
  const title = vscode.l10n.t(
    'The link code is on the clipboard, good for ten minutes. On your other machine: “Coterie: Link This Device…”. Show it to nobody.',
  );
  await notifyWhile(title, async (_, token) => {
    const held = new DisposableStore();
    await new Promise<void>((resolve) => {
      const timer = setTimeout(resolve, Math.max(0, expires - Date.now()));
      held.add({ dispose: () => clearTimeout(timer) });
      held.add(house.session.events((event) => event.type === 'deviceRequest' && resolve()));
      held.add(house.session.onState((state) => state.kind !== 'open' && resolve()));
      held.add(
        token.onCancellationRequested(() => {
          void house.say.guard(async () => (await house.session.api()).withdrawLinkCode());
          resolve();
        }),
      );
    });
    held.dispose();
  });
}

/** Nothing is given before the person has compared the numbers; closing the dialog leaves it for *Add Another Device…*. */
export async function askAboutDevice(house: House, request: DeviceRequestInfo): Promise<void> {
  const same = vscode.l10n.t('The Numbers Are the Same');
  const decline = vscode.l10n.t('Decline');
  const answer = await vscode.window.showWarningMessage(
    vscode.l10n.t('{0} wants to become one of your devices', besideNumber(request.name)),
    {
      modal: true,
      detail: [
        request.number,
        '',
        vscode.l10n.t(
          'It gets your account: all your workspaces, and the right to write in your name. Go on only if you sit at it and it shows this number.',
        ),
      ].join('\n'),
    },
    same,
    decline,
  );
  if (answer === undefined) return;
  await house.say.guard(async () => {
    await (await house.session.api()).answerDevice(request.id, answer === same);
    if (answer === same) void house.say.show(doneSentences.deviceAdded, { name: request.name });
  });
}

/** On the new device. `given` stands for the answer of the input box. */
export async function linkDevice(house: House, given?: unknown): Promise<void> {
  const locked = house.session.state.kind === 'locked';
  if (locked && !(await mayGoAside())) return;
  const isLink = typeof given === 'string';
  const text = isLink ? given : await askCode();
  if (text === undefined || (isLink && !(await isOwnCode()))) return;
  await house.say.guard(async () => {
    const api = locked ? await house.session.beginBeside({}) : await house.begin();
    if (api === undefined) return;
    const link = await api.linkDevice(linkCodeOfText(text));
    await vscode.commands.executeCommand('coterie.workspaces.focus');
    await followLink(house, link);
  });
}

/** Any page can open a link: made one of a stranger's devices, this machine would share with him all that is made on it. */
async function isOwnCode(): Promise<boolean> {
  const link = vscode.l10n.t('I Made It Myself');
  const answer = await vscode.window.showWarningMessage(
    vscode.l10n.t('Make this machine one of somebody’s devices?'),
    {
      modal: true,
      detail: vscode.l10n.t(
        'Whoever made this code will have everything that you do in Coterie on this machine. Go on only if you made it yourself, on another machine of yours.',
      ),
    },
    link,
  );
  return answer === link;
}

function askCode(): Thenable<string | undefined> {
  return vscode.window.showInputBox({
    title: vscode.l10n.t('Link This Device'),
    prompt: vscode.l10n.t('The code from your other machine: there, “Coterie: Add Another Device…” makes one.'),
    ignoreFocusOut: true,
    validateInput: (value) => (value.trim() === '' ? vscode.l10n.t('The code is needed.') : undefined),
  });
}

async function followLink(house: House, first: LinkInfo): Promise<void> {
  const title = vscode.l10n.t('Linking this device: {0}. Your other machine must show the same number.', first.number);
  const last = await notifyWhile(title, async (_, token) => {
    const held = new DisposableStore();
    const end = await new Promise<LinkInfo | undefined>((resolve) => {
      const see = (link: LinkInfo | undefined): void => {
        if (link?.state === 'done' || link?.state === 'refused') resolve(link);
      };
      held.add(house.session.events((event) => event.type === 'link' && see(event.link)));
      // It may have ended before anybody listened.
      void house.session.current?.linking().then(see, () => resolve(undefined));
      held.add(
        token.onCancellationRequested(() => {
          void house.say.guard(async () => (await house.session.api()).cancelLink());
          resolve(undefined);
        }),
      );
    });
    held.dispose();
    return end;
  });
  if (last?.state === 'refused') await house.say.show(linkSentences[last.reason ?? 'declined'], {});
  if (last?.state === 'done') void house.say.show(doneSentences.linked, {});
}

interface DeviceRow extends vscode.QuickPickItem {
  readonly device: DeviceInfo;
}

export async function showDevices(house: House): Promise<void> {
  const devices = await house.say.guard(async () => (await house.session.api()).devices());
  if (devices === undefined) return;
  const rows = devices.map((device): DeviceRow => ({ label: device.name, description: standing(device), device }));
  const title = vscode.l10n.t('My Devices');
  const placeHolder = vscode.l10n.t('Choose one to rename it or to take it out');
  const row = await vscode.window.showQuickPick(rows, { title, placeHolder });
  if (row !== undefined) await changeDevice(house, row.device);
}

function standing({ self, online, inSync, added, lastHeard }: DeviceInfo): string {
  const since = vscode.l10n.t('since {0}', new Date(added).toLocaleDateString());
  if (self) return `${vscode.l10n.t('this machine')} · ${since}`;
  const heard =
    lastHeard === undefined
      ? vscode.l10n.t('not heard of yet')
      : vscode.l10n.t('last heard of {0}', new Date(lastHeard).toLocaleString());
  const sync = inSync ? vscode.l10n.t('in sync') : vscode.l10n.t('not in sync');
  return `${online ? vscode.l10n.t('online') : heard} · ${sync} · ${since}`;
}

async function changeDevice(house: House, device: DeviceInfo): Promise<void> {
  const rename = vscode.l10n.t('Rename…');
  const remove = vscode.l10n.t('Take It Out of My Workspaces…');
  const actions = device.self ? [rename] : [rename, remove];
  const action = await vscode.window.showQuickPick(actions, { title: device.name, placeHolder: standing(device) });
  if (action === rename) await renameDevice(house, device);
  if (action === remove) await removeDevice(house, device);
}

async function renameDevice(house: House, { device, name }: DeviceInfo): Promise<void> {
  const wanted = await vscode.window.showInputBox({
    title: vscode.l10n.t('Rename Device'),
    prompt: vscode.l10n.t('The members of your workspaces see this name.'),
    value: name,
    ignoreFocusOut: true,
    validateInput: (value) => (value.trim() === '' ? vscode.l10n.t('A name is needed.') : undefined),
  });
  if (wanted === undefined || wanted === name) return;
  await house.say.guard(async () => (await house.session.api()).renameDevice(device, wanted), { name: wanted });
}

async function removeDevice(house: House, { device, name }: DeviceInfo): Promise<void> {
  const remove = vscode.l10n.t('Take It Out');
  const answer = await vscode.window.showWarningMessage(
    vscode.l10n.t('Take {0} out of all your workspaces?', name),
    {
      modal: true,
      detail: vscode.l10n.t(
        'It gets nothing new from now on, and erases its copies when it next meets a member. What a thief has copied before stays copied. To use it again, link it anew.',
      ),
    },
    remove,
  );
  if (answer !== remove) return;
  await house.say.guard(async () => {
    await (await house.session.api()).removeDevice(device);
    void house.say.show(doneSentences.deviceRemoved, { name });
  });
}
