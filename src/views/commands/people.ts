/** Commands by which people make sure of each other, and of the relay and the log. */
import * as vscode from 'vscode';
import type { MemberInfo } from '../../service/api.ts';
import type { House } from '../house.ts';
import { notify } from '../notify.ts';
import { besideNumber } from '../plain.ts';
import { setRelay, textIn } from '../settings.ts';
import { relayWords } from '../status-bar.ts';
import { pickMember } from '../targets.ts';

const isOther = (member: MemberInfo): boolean => !member.self;

export async function showSafetyNumber(house: House, argument?: unknown): Promise<void> {
  const member = await pickMember(house, argument, isOther);
  if (member === undefined) return;
  const copy = vscode.l10n.t('Copy');
  const answer = await vscode.window.showInformationMessage(
    vscode.l10n.t('Safety number with {0}', besideNumber(member.name)),
    { modal: true, detail: safetyDetail(member) },
    copy,
  );
  if (answer === copy) await vscode.env.clipboard.writeText(member.safetyNumber);
}

export async function verifyMember(house: House, argument?: unknown): Promise<void> {
  const member = await pickMember(house, argument, isOther);
  if (member === undefined) return;
  const answer = member.verified ? vscode.l10n.t('Not Verified Any More') : vscode.l10n.t('The Numbers Are the Same');
  const chosen = await vscode.window.showInformationMessage(
    vscode.l10n.t('Verify {0}', besideNumber(member.name)),
    { modal: true, detail: safetyDetail(member) },
    answer,
  );
  if (chosen !== answer) return;
  await house.say.guard(async () => {
    await (await house.session.api()).setVerified(member.account, !member.verified);
    await house.list.reload();
  });
}

function safetyDetail(member: MemberInfo): string {
  return [
    member.safetyNumber,
    '',
    vscode.l10n.t(
      '{0} sees the same number if nobody stands between you. Compare it by voice or side by side, never by the chat itself.',
      besideNumber(member.name),
    ),
    member.verified
      ? vscode.l10n.t('You have verified this member.')
      : vscode.l10n.t('You have not verified this member.'),
  ].join('\n');
}

export async function showRelay(house: House): Promise<void> {
  const set = vscode.l10n.t('Set Relay…');
  const relay = await house.session.current?.relay().catch(() => undefined);
  const text = relayWords(relay ?? { state: 'off' });
  const failed = relay?.state === 'failed';
  const answer = await notify(failed ? 'warning' : 'information', text, set);
  if (answer === set) await askRelay(house);
}

/** `given` stands for the answer of the input box. */
export async function askRelay(house: House, given?: unknown): Promise<void> {
  const address =
    typeof given === 'string'
      ? given
      : await vscode.window.showInputBox({
          title: vscode.l10n.t('Set Relay'),
          prompt: vscode.l10n.t(
            'The address as the relay printed it. Empty: the one that came with an invitation, if any.',
          ),
          value: textIn('relay'),
          ignoreFocusOut: true,
        });
  if (address === undefined) return;
  await house.say.guard(() => setRelay(address.trim()));
}
