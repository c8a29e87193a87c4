/** The status bar: whether all copies agree, and what is unread. */
import * as vscode from 'vscode';
import { type Disposable, DisposableStore } from '../base/disposable.ts';
import type { RelayInfo } from '../service/api.ts';
import type { House } from './house.ts';
import { render } from './say.ts';
import { relaySentences } from './sentences.ts';
import { missingWords, syncWords, unreadWords } from './tree-item.ts';

export class StatusBar implements Disposable {
  readonly #house: House;
  readonly #development: boolean;
  readonly #held = new DisposableStore();
  readonly #item: vscode.StatusBarItem;
  #relay: RelayInfo = { state: 'off' };

  constructor(house: House, options: { readonly development: boolean }) {
    this.#house = house;
    this.#development = options.development;
    this.#item = this.#held.add(
      vscode.window.createStatusBarItem('coterie.status', vscode.StatusBarAlignment.Left, -10),
    );
    this.#item.name = 'Coterie';
    this.#item.command = 'coterie.workspaces.focus';
    this.#held.add(house.list.onChange(() => this.#show()));
    this.#held.add(
      house.session.onState((state) => {
        if (state.kind === 'open') void this.#askRelay();
        this.#show();
      }),
    );
    this.#held.add(house.session.onStalled(() => this.#show()));
    this.#held.add(
      house.session.events((event) => {
        if (event.type !== 'relay') return;
        this.#relay = event.relay;
        this.#show();
      }),
    );
    this.#show();
  }

  dispose(): void {
    this.#held.dispose();
  }

  async #askRelay(): Promise<void> {
    this.#relay = (await this.#house.session.current?.relay().catch(() => undefined)) ?? this.#relay;
    this.#show();
  }

  #show(): void {
    const { session } = this.#house;
    // A window that does not answer looks the same, whether or not this one was at work before.
    const kind = session.stalled ? 'inUse' : session.state.kind;
    if (kind === 'empty' && !this.#development) {
      this.#item.hide();
      return;
    }
    const development = this.#development ? [vscode.l10n.t('development secrets')] : [];
    const { unread, workspaces } = this.#house.list;
    const waiting = workspaces.some(({ sync }) => sync.inSync < sync.others || sync.missingChunks > 0);
    const usual = isToMend(this.#relay) ? 'warning' : waiting ? 'sync' : 'check-all';
    const icon = kind === 'open' ? usual : (icons[kind] ?? 'error');
    const bell = unread === 0 ? [] : [`$(bell-dot) ${unread}`];
    this.#item.text = [`$(${icon}) Coterie`, ...bell, ...development.map((text) => `(${text})`)].join(' ');
    const state = kind === 'open' ? [] : [stateWords(kind)];
    const tooltip = [
      ...state,
      ...workspaces.map(({ name, sync }) =>
        [name, syncWords(sync), ...missingWords(sync)].filter((part) => part !== '').join(': '),
      ),
      ...unreadWords(unread),
      relayWords(this.#relay),
      ...development,
    ];
    this.#item.tooltip = tooltip.join('\n');
    this.#item.accessibilityInformation = { label: ['Coterie', ...tooltip].join(', ') };
    const faulty = kind === 'locked' || kind === 'inUse' || kind === 'failed';
    this.#item.backgroundColor = faulty ? new vscode.ThemeColor('statusBarItem.warningBackground') : undefined;
    this.#item.show();
  }
}

const icons: Readonly<Record<string, string>> = {
  connecting: 'sync~spin',
  locked: 'lock',
  inUse: 'lock',
  empty: 'circle-outline',
};

function stateWords(kind: string): string {
  switch (kind) {
    case 'connecting':
      return vscode.l10n.t('opening your workspaces');
    case 'locked':
      return vscode.l10n.t('locked');
    case 'inUse':
      return vscode.l10n.t('held by another window');
    case 'empty':
      return vscode.l10n.t('no workspace yet');
    default:
      return vscode.l10n.t('could not be opened');
  }
}

/** A relay that does not answer comes back by itself; what else is wrong with it waits for a person. */
function isToMend({ state, reason }: RelayInfo): boolean {
  return state === 'failed' && reason !== undefined && reason !== 'unreachable';
}

export function relayWords(relay: RelayInfo): string {
  switch (relay.state) {
    case 'off':
      return vscode.l10n.t('No relay: members exchange directly, when they are online together.');
    case 'connecting':
      return vscode.l10n.t('Connecting to the relay…');
    case 'connected':
      return vscode.l10n.t('Connected to the relay.');
    case 'failed':
      return render(relaySentences[relay.reason ?? 'unreachable'], {});
  }
}
