/** How long it takes from Ctrl+S in one person's VS Code until the other's open tab shows the text: both pages' own clocks, one machine. */
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { cpus } from 'node:os';
import { join } from 'node:path';
import { root } from '../../../scripts/lib/project.mjs';
import { artifact } from '../driver/artifacts.ts';
import type { Workbench } from '../driver/workbench.ts';
import { typeAtStart } from './coterie.ts';

const LIMIT_MS = 20_000;

/** Types a word, saves, and answers the milliseconds until the reader's tab shows it. */
export async function saveToTab(author: Workbench, reader: Workbench, word: string): Promise<number> {
  await typeAtStart(author, `${word} `);
  await reader.page.evaluate(watchFor(word));
  await author.page.evaluate(watchSaveKey);
  await author.save();
  const shown = await reader.page.evaluate<number>('globalThis.coterieShown');
  return shown - (await author.page.evaluate<number>('globalThis.coterieSaved'));
}

// As text: these run in the pages, and the tests know no DOM. Each leaves a promise in its page, so that it is there when the key is pressed.
const watchSaveKey = `void (globalThis.coterieSaved = new Promise((resolve) => {
  window.addEventListener('keydown', function pressed(event) {
    if (!event.ctrlKey || event.key.toLowerCase() !== 's') return;
    window.removeEventListener('keydown', pressed, true);
    resolve(Date.now());
  }, true);
}))`;

const watchFor = (word: string): string => `void (globalThis.coterieShown = new Promise((resolve, reject) => {
  const isShown = () => document.querySelector('.editor-instance .view-lines')?.textContent.includes(${JSON.stringify(word)});
  const look = () => {
    if (!isShown()) return;
    observer.disconnect();
    clearTimeout(timer);
    resolve(Date.now());
  };
  const observer = new MutationObserver(look);
  const timer = setTimeout(() => {
    observer.disconnect();
    reject(new Error('The tab never showed ' + ${JSON.stringify(word)}));
  }, ${LIMIT_MS});
  observer.observe(document.querySelector('.monaco-workbench'), { subtree: true, childList: true, characterData: true });
}))`;

export function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.floor(sorted.length / 2)] ?? NaN;
}

/** Prints the figures, and keeps them: beside the pictures, and with the benchmark's where that has been run. */
export function keepFigures(latencies_ms: readonly number[]): void {
  const p50_ms = median(latencies_ms);
  console.log(`      save to tab: p50_ms=${p50_ms} of ${latencies_ms.length} (${latencies_ms.join(' ')})`);
  const tab = { p50_ms, raw_ms: latencies_ms, cpus: cpus().length, date: new Date().toISOString() };
  writeFileSync(artifact('tab-latency.json'), JSON.stringify(tab, null, 2));
  const bench = join(root, 'bench', 'results', 'latency.json');
  if (!existsSync(bench)) return;
  const figures = JSON.parse(readFileSync(bench, 'utf8')) as object;
  writeFileSync(bench, `${JSON.stringify({ ...figures, tab }, null, 2)}\n`);
}
