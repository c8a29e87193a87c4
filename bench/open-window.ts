/**
 * The process of the open benchmark: a window that opens a store it has never seen, asks for what a window shows first, and says how long
 * that took and what it has in memory. It begins with nothing of ours loaded, as an extension host does.
 */
import type { DeviceSecrets } from '../src/service/api.ts';

export interface ToWindow {
  readonly dist: string;
  readonly folder: string;
  readonly name: string;
  readonly secrets: DeviceSecrets;
  readonly workspace: string;
  readonly files: string;
  readonly chat: string;
}

export interface FromWindow {
  readonly open_ms: number;
  /** Until the service was open; the rest is the three answers. */
  readonly welcome_ms: number;
  readonly cpu_ms: number;
  readonly bare_rss: number;
  /** When the answers were there. */
  readonly rss: number;
  /** The most there was at any time. */
  readonly max_rss: number;
  readonly entries: number;
  readonly posts: number;
}

const PAGE = 50;

process.once('message', (message: ToWindow) => void open(message));

async function open({ dist, folder, name, secrets, workspace, files, chat }: ToWindow): Promise<void> {
  const bare_rss = process.memoryUsage.rss();
  const cpu = process.cpuUsage();
  const start = performance.now();
  const [{ connectService }, { windowOptions }] = await Promise.all([
    import('../src/rpc/window.ts'),
    import('./lib/window.ts'),
  ]);
  const window = await connectService(windowOptions(dist, folder, name, secrets));
  const welcome_ms = performance.now() - start;
  const [, entries, page] = await Promise.all([
    window.api.workspaces(),
    window.api.list(workspace, files, '/'),
    window.api.chat(workspace, chat, { limit: PAGE }),
  ]);
  const open_ms = performance.now() - start;
  const { user, system } = process.cpuUsage(cpu);
  const answer: FromWindow = {
    open_ms,
    welcome_ms,
    cpu_ms: (user + system) / 1000,
    bare_rss,
    rss: process.memoryUsage.rss(),
    max_rss: process.resourceUsage().maxRSS * 1024,
    entries: entries.length,
    posts: page.posts.length,
  };
  process.send!(answer);
  await window.dispose();
  process.exit(0);
}
