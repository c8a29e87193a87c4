/** The recovery phrase (I2): shown to the person, in a dialog that VS Code keeps nowhere, and taken back. */
import { randomInt } from 'node:crypto';
import * as vscode from 'vscode';
import { errorCode } from '../errors.ts';
import type { House } from '../house.ts';
import { doneSentences } from '../sentences.ts';

/** Enough to see that they were written down, and few enough that nobody minds. */
const ASKED_WORDS = 3;
const WORDS_IN_A_LINE = 4;

export async function showRecoveryPhrase(house: House): Promise<void> {
  const show = vscode.l10n.t('Show the Words');
  const answer = await vscode.window.showWarningMessage(
    vscode.l10n.t('The recovery phrase is your account'),
    {
      modal: true,
      detail: vscode.l10n.t(
        'Whoever has its 24 words can be you. Let nobody see your screen now; write them on paper, in their order, and keep it where you keep what matters. Coterie stores them nowhere and cannot show them once this machine is lost.',
      ),
    },
    show,
  );
  if (answer !== show) return;
  const phrase = await house.say.guard(async () => (await house.session.api()).recoveryPhrase());
  if (phrase === undefined) return;
  const words = phrase.split(' ');
  const compare = vscode.l10n.t('I Wrote Them Down');
  for (;;) {
    const written = await vscode.window.showInformationMessage(
      vscode.l10n.t('Your recovery phrase'),
      { modal: true, detail: numbered(words) },
      compare,
    );
    if (written !== compare || (await compareSome(house, words))) return;
  }
}

function numbered(words: readonly string[]): string {
  const lines: string[] = [];
  for (let i = 0; i < words.length; i += WORDS_IN_A_LINE)
    lines.push(
      words
        .slice(i, i + WORDS_IN_A_LINE)
        .map((word, at) => `${i + at + 1}. ${word}`)
        .join('   '),
    );
  return lines.join('\n');
}

/** True where the person is done with it; false to see the words again. */
async function compareSome(house: House, words: readonly string[]): Promise<boolean> {
  for (const place of somePlaces(words.length)) {
    const typed = await vscode.window.showInputBox({
      title: vscode.l10n.t('Compare the Recovery Phrase'),
      prompt: vscode.l10n.t('Word {0}, as it stands on your paper', place + 1),
      ignoreFocusOut: true,
      validateInput: (value) => {
        const word = value.trim().toLowerCase();
        if (word === words[place] || word.length < 3) return undefined;
        return words[place]!.startsWith(word) ? undefined : vscode.l10n.t('Another word was shown there.');
      },
    });
    if (typed === undefined) return true;
    if (typed.trim().toLowerCase() !== words[place]) return false;
  }
  void house.say.show(doneSentences.phraseCompared, {});
  return true;
}

function somePlaces(count: number): readonly number[] {
  const places = new Set<number>();
  while (places.size < ASKED_WORDS) places.add(randomInt(count));
  return [...places].sort((a, b) => a - b);
}

/** On a new machine, or beside a store whose key is gone. */
export async function restoreAccount(house: House): Promise<void> {
  if (house.session.state.kind === 'locked' && !(await mayGoAside())) return;
  let typed: string | undefined;
  for (;;) {
    typed = await askPhrase(typed);
    if (typed === undefined) return;
    const outcome = await restore(house, typed);
    if (outcome !== 'again') return;
  }
}

async function restore(house: House, phrase: string): Promise<'done' | 'again'> {
  try {
    if (house.session.state.kind === 'locked') await house.session.beginBeside({ phrase });
    else {
      const api = await house.begin();
      if (api === undefined) return 'done';
      await api.restoreAccount(phrase);
    }
  } catch (error) {
    void house.say.error(error);
    return errorCode(error) === 'badPhrase' ? 'again' : 'done';
  }
  void house.say.show(doneSentences.restored, {});
  return 'done';
}

function askPhrase(before: string | undefined): Thenable<string | undefined> {
  return vscode.window.showInputBox({
    title: vscode.l10n.t('Restore Account'),
    prompt: vscode.l10n.t('The 24 words, in their order. Four letters of each are enough.'),
    ignoreFocusOut: true,
    ...(before === undefined ? {} : { value: before }),
    validateInput: (value) => (value.trim() === '' ? vscode.l10n.t('The words are needed.') : undefined),
  });
}

/** Asked before a locked store is moved; it is never deleted. */
export async function mayGoAside(): Promise<boolean> {
  const goOn = vscode.l10n.t('Begin Beside It');
  const answer = await vscode.window.showWarningMessage(
    vscode.l10n.t('The workspaces on this machine are locked'),
    {
      modal: true,
      detail: vscode.l10n.t(
        'Their key is not in this VS Code’s secret storage. If it may come back, cancel, and open VS Code as you did before. Otherwise a new device begins beside them: they are kept as they are, in a folder of their own.',
      ),
    },
    goOn,
  );
  return answer === goOn;
}
