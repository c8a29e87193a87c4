// Last by name: from here on this VS Code knows another member.
import assert from 'node:assert/strict';
import { type ChildProcess, fork } from 'node:child_process';
import { mkdir, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import * as vscode from 'vscode';
import type { CoterieApi, ServiceEvent, WorkspaceInfo } from '../../src/service/api.ts';
import { digestOf } from '../bridges/real-tree.ts';
import { BusyProbe, wordsOf } from './busy.ts';
import { door, extension } from './world.ts';

const LIMIT_MS = 50;

interface Told {
  readonly link: string;
  readonly files: readonly (readonly [string, string])[];
}

describe('the initial copy', function () {
  this.timeout(90_000);
  let folder: string;
  let inviter: ChildProcess;
  let told: Told;

  before(async () => {
    folder = await mkdtemp(join(tmpdir(), 'cot-copy-'));
    const dist = (name: string): string => vscode.Uri.joinPath(extension().extensionUri, 'dist', name).fsPath;
    const args = [folder, dist('worker.cjs'), dist('sql-wasm.wasm')];
    // A desktop VS Code is no Node unless it is told so.
    const env = { ...process.env, ELECTRON_RUN_AS_NODE: '1' };
    inviter = fork(join(__dirname, 'inviter.cjs'), args, {
      env,
      execArgv: [],
      stdio: ['ignore', 'ignore', 'pipe', 'ipc'],
    });
    told = await toldBy(inviter);
  });
  after(async () => {
    const ended = new Promise((resolve) => inviter.once('exit', resolve));
    inviter.send('close');
    await ended;
    await rm(folder, { recursive: true });
  });

  it('what measures it sees a block, and how long it was', async () => {
    const probe = new BusyProbe();
    await elapsed(20);
    const end = performance.now() + 200;
    while (performance.now() < end);
    await elapsed(20);
    const blocked = probe.stop();
    const { longest, second } = blocked;
    assert.ok(longest.clock_ms >= 200 && longest.work_ms > LIMIT_MS / 2, wordsOf(blocked));
    assert.ok(longest.work_ms > second.work_ms, wordsOf(blocked));
  });

  /**
   * What is asserted of the gaps between two turns of the host's loop, from accepting to the last event of the whole copy, with the tree
   * in front and the list, the progress and all else of a window following: in none is the host at work for more than 50 ms; and in none
   * but one is it busy for more than 50 ms, which counts its sleep as well. The one is for a sleep of 60 to 80 ms seen now and then where
   * six other programs wanted the two processors: a thread that starves can hold what this one waits for (the collector's helpers, the
   * memory map of the process), and no figure tells us which. Left out is the dialog before, since VS Code shows none to tests.
   */
  it('S5 of 333 files, one of 30 MB, never keeps the window’s host busy for more than 50 ms', async function () {
    const { house } = (await door()).window;
    await vscode.workspace
      .getConfiguration('coterie')
      .update('displayName', 'Alice', vscode.ConfigurationTarget.Global);
    const api = await house.begin();
    assert.ok(api);
    await vscode.commands.executeCommand('coterie.workspaces.focus');
    const { workspace, alreadyMember } = await api.readInvitation(told.link);
    assert.equal(alreadyMember, false);

    const probe = new BusyProbe();
    const whole = wholeCopy(api, (listener) => house.session.events(listener), workspace);
    await api.acceptInvitation(told.link);
    const info = await whole;
    // The last events are paced: their work belongs to the copy, too.
    await elapsed(200);
    const copy = probe.stop();

    const idleProbe = new BusyProbe();
    await elapsed(copy.window_ms);
    const idle = idleProbe.stop();
    const figures = `copy ${wordsOf(copy)}; idle ${wordsOf(idle)}`;
    // The report of a run holds titles alone.
    this.test!.title += ` (${figures})`;

    const files = info.tools.find(({ kind }) => kind === 'files')!;
    const out = join(folder, 'out');
    await mkdir(out);
    await api.exportPath(workspace, files.id, '/tree', out, 'out');
    assert.deepEqual([...(await digestOf(join(out, 'tree')))], told.files);
    assert.ok(copy.longest.work_ms <= LIMIT_MS && copy.second.busy_ms <= LIMIT_MS, figures);
  });
});

function toldBy(inviter: ChildProcess): Promise<Told> {
  let said = '';
  inviter.stderr!.on('data', (data: Buffer) => (said += data.toString()));
  return new Promise((resolve, reject) => {
    inviter.once('message', (message) => resolve(message as Told));
    inviter.once('exit', (code) => reject(new Error(`The inviter ended (${code}). It said:\n${said}`)));
  });
}

/** Looks again at every event of the service. */
function wholeCopy(
  api: CoterieApi,
  events: (listener: (event: ServiceEvent) => void) => { dispose(): void },
  workspace: string,
): Promise<WorkspaceInfo> {
  return new Promise((resolve, reject) => {
    const look = async (event: ServiceEvent): Promise<void> => {
      if (event.type === 'join' && (event.join.state === 'failed' || event.join.state === 'refused'))
        throw new Error(`The join ended: ${event.join.reason}`);
      if (event.type !== 'join' && event.type !== 'workspaces') return;
      const info = (await api.workspaces()).find(({ id }) => id === workspace);
      if (info?.state !== 'open' || info.sync.missingChunks > 0) return;
      listening.dispose();
      resolve(info);
    };
    const listening = events((event) => void look(event).catch(reject));
  });
}

/** Not to wait for something: time itself is what is measured. */
function elapsed(time_ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, time_ms));
}
