/**
 * The process of the ingest benchmark in which the service catches up: this thread is the window's, the service is in its worker. It
 * follows the events and asks for the list as a window does, and watches how long this thread is busy.
 */
import { connectService } from '../src/rpc/window.ts';
import type { DeviceSecrets } from '../src/service/api.ts';
import { BusyProbe, type Busy } from '../test/vscode/busy.ts';
import { windowOptions } from './lib/window.ts';

interface CatchUp {
  readonly type: 'catchUp';
  readonly dist: string;
  readonly folder: string;
  readonly name: string;
  readonly secrets: DeviceSecrets;
}

export type ToWindow =
  | CatchUp
  /** The peer says that all is there. */
  | { readonly type: 'done'; readonly workspace: string; readonly chat: string };

export interface FromWindow {
  readonly busy: Busy;
  /** Of this thread, the worker and the pool together. */
  readonly cpu_ms: number;
  readonly rss: number;
  readonly unread: number;
  readonly posts: number;
}

let finish: (message: ToWindow & { readonly type: 'done' }) => void = () => undefined;
const done = new Promise<ToWindow & { readonly type: 'done' }>((resolve) => (finish = resolve));

process.on('message', (message: ToWindow) => {
  if (message.type === 'done') finish(message);
  else void catchUp(message);
});

async function catchUp({ dist, folder, name, secrets }: CatchUp): Promise<void> {
  const probe = new BusyProbe();
  const cpu = process.cpuUsage();
  const window = await connectService(windowOptions(dist, folder, name, secrets));
  // As a window does that shows the list: told that something is new, it asks what.
  window.events((event) => {
    if (event.type === 'workspaces') void window.api.workspaces().catch(() => undefined); // it may be closing
  });
  const { workspace, chat } = await done;
  const busy = probe.stop();
  const { user, system } = process.cpuUsage(cpu);
  const rss = process.memoryUsage.rss();
  const info = (await window.api.workspaces()).find(({ id }) => id === workspace)!;
  const { posts } = await window.api.chat(workspace, chat, { limit: 50 });
  const unread = info.tools.find(({ id }) => id === chat)!.unread;
  const answer: FromWindow = { busy, cpu_ms: (user + system) / 1000, rss, unread, posts: posts.length };
  process.send!(answer);
  await window.dispose();
  process.exit(0);
}
