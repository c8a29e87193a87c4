// "Apollo", shared between Alice and Bob before anybody looks: what a first `npm start` shows.
// Made by the service itself, in the same worker thread that a window starts; nothing here reaches behind its api.
import { existsSync, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { connectService, type WindowService } from '../../src/rpc/window.ts';
import type { ToolKind } from '../../src/service/api.ts';
import { fileSecrets } from '../../src/views/secrets.ts';
import { root } from '../lib/project.mjs';

const LIMIT_MS = 60_000;
const HOUR_MS = 3_600_000;

export interface Preshare {
  /** Folder of this start: people, relay, and what is made here. */
  readonly state: string;
  /** Address of the relay that runs. */
  readonly relay: string;
  /** A real folder that goes into Apollo's files. */
  readonly sample: string;
  /** Who they are, and the folder of each one's store as their extension finds it. */
  readonly alice: Participant;
  readonly bob: Participant;
}

export interface Participant {
  readonly name: string;
  readonly store: string;
  /** The file of their development secrets. In code-server a browser would keep them, and no script can reach into that. */
  readonly secrets: string;
}

/** What lets a person's VS Code open the store made here; the extension refuses the file without the first of the two. */
export function developmentSecrets({ secrets }: Participant): Readonly<Record<string, string>> {
  return { COTERIE_DEV: '1', COTERIE_DEV_SECRETS: secrets };
}

/** Does nothing where an earlier start has done it. */
export async function preshare({ state, relay, sample, alice, bob }: Preshare): Promise<void> {
  const done = join(state, 'apollo-is-shared');
  if (existsSync(done)) return;
  const [hers, his] = await Promise.all([open(alice, relay), open(bob, relay)]);
  try {
    const apollo = await fill(hers, sample);
    await bring(hers, his, apollo);
    await hers.api.post(
      apollo,
      await tool(hers, apollo, 'chat'),
      'Welcome to Apollo. The files are in the tree beside.',
    );
    await until(his, 'Bob to have everything', async () => {
      const workspace = (await his.api.workspaces()).find(({ id }) => id === apollo);
      const chat = workspace?.tools.find(({ kind }) => kind === 'chat');
      if (workspace?.state !== 'open' || workspace.sync.missingChunks > 0 || chat === undefined) return false;
      return (await his.api.chat(apollo, chat.id, { limit: 1 })).posts.length > 0;
    });
  } finally {
    await Promise.all([hers.dispose(), his.dispose()]);
  }
  writeFileSync(done, '');
}

function open({ name, store, secrets }: Participant, relay: string): Promise<WindowService> {
  mkdirSync(store, { recursive: true });
  return connectService({
    folder: store,
    workerPath: join(root, 'dist', 'worker.cjs'),
    wasmPath: join(root, 'dist', 'sql-wasm.wasm'),
    secrets: fileSecrets(secrets),
    settings: { relay, name, deviceName: `${name}'s computer`, directPort: 2492, lanDiscovery: false },
  });
}

async function fill({ api }: WindowService, sample: string): Promise<string> {
  const apollo = await api.createWorkspace({ name: 'Apollo' });
  const { tools } = (await api.workspaces()).find(({ id }) => id === apollo) ?? { tools: [] };
  const files = tools.find(({ kind }) => kind === 'files')?.id ?? (await api.addTool(apollo, 'files', 'Files'));
  if (!tools.some(({ kind }) => kind === 'chat')) await api.addTool(apollo, 'chat', 'Chat');
  await api.importPaths(apollo, files, '/', [sample], 'preshare');
  return apollo;
}

async function bring(inviter: WindowService, invited: WindowService, workspace: string): Promise<void> {
  const once = { role: 'participant', expiresInMs: HOUR_MS, uses: 1, confirm: false, scheme: 'vscode' } as const;
  const { link } = await inviter.api.invite(workspace, once);
  await invited.api.acceptInvitation(link);
}

async function tool({ api }: WindowService, workspace: string, kind: ToolKind): Promise<string> {
  const found = (await api.workspaces()).find(({ id }) => id === workspace)?.tools.find((one) => one.kind === kind);
  if (found === undefined) throw new Error(`The workspace has no ${kind}.`);
  return found.id;
}

/** Asks again at every event of the service. */
function until(service: WindowService, what: string, isSo: () => Promise<boolean>): Promise<void> {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(() => finish(new Error(`Waited in vain for ${what}.`)), LIMIT_MS);
    const subscription = service.events(() => void ask());
    const finish = (failure?: Error) => {
      clearTimeout(timer);
      subscription.dispose();
      if (failure === undefined) resolve();
      else reject(failure);
    };
    const ask = async () => {
      try {
        if (await isSo()) finish();
      } catch (error) {
        finish(error instanceof Error ? error : new Error(String(error)));
      }
    };
    void ask();
  });
}
