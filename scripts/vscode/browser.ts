// Chromium, as every test starts it.
import { type BrowserContext, chromium } from 'playwright-core';
import { browser } from './install.ts';

const options = [
  ...['--headless', '--disable-gpu', '--disable-quic', '--no-first-run'],
  ...['--disable-background-networking', '--disable-component-update', '--disable-sync'],
  // Two windows of one person are both looked at, and a hidden page must not fall asleep.
  ...[
    '--disable-background-timer-throttling',
    '--disable-backgrounding-occluded-windows',
    '--disable-renderer-backgrounding',
  ],
];

export interface BrowserSession {
  readonly context: BrowserContext;
  /** Addresses outside this machine that a page asked for. They got nothing. */
  readonly strayRequests: string[];
}

/** A browser on its own profile folder: what VS Code keeps in the browser (secrets, global state) lasts as long as the folder. */
export async function openBrowser(profile: string): Promise<BrowserSession> {
  const context = await chromium.launchPersistentContext(profile, {
    executablePath: await browser(),
    headless: true,
    args: options,
    // Chromium's sandbox cannot start as root, which is what a container usually is.
    chromiumSandbox: process.getuid?.() !== 0,
    viewport: { width: 1280, height: 800 },
    permissions: ['clipboard-read', 'clipboard-write'],
  });
  const strayRequests: string[] = [];
  await context.route(
    (url) => url.protocol.startsWith('http') && url.hostname !== '127.0.0.1',
    (route) => {
      strayRequests.push(route.request().url());
      return route.abort();
    },
  );
  return { context, strayRequests };
}
