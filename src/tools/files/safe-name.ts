/**
 * Names of files and folders (F4). A name is kept as its author gave it; what some system cannot hold is shown, and
 * written to disks, as another one, equally on every system, so that all members speak of the same name.
 *
 * | in a name | what `safeName` makes of it |
 * | --- | --- |
 * | control characters, separators, `< > : " | ? *` (Windows), lone surrogates | `_` each |
 * | marks that turn the direction of text or are invisible (a name must not look like another) | nothing |
 * | dots and spaces at the end (Windows drops them), so also `.` and `..` | `_` each |
 * | device names of Windows before the first dot: `aux.c` | `aux_.c` |
 * | more than MAX_NAME_BYTES of UTF-8 | shortened before its extension |
 * | nothing at all | `_` |
 */
import { fromUtf8, toUtf8 } from '../../base/utf8.ts';
import { MAX_NAME_BYTES } from '../../protocol/limits.ts';

export type NameProblem = 'empty' | 'tooLong' | 'separator' | 'dots' | 'control';

// Code points are named by their numbers: most of these cannot be seen, and one turns the line around.
const CONTROL = /[\p{Cc}\p{Cs}\u2028\u2029]/u;
const REFUSED_SOMEWHERE = /[\p{Cc}\p{Cs}\u2028\u2029/\\<>:"|?*]/gu;
/** Direction marks, overrides and isolates, zero-width space, word joiner and invisible operators, byte order mark. */
const MISLEADING = /[\u061c\u200b\u200e\u200f\u202a-\u202e\u2060-\u2064\u2066-\u206f\ufeff]/gu;
const TRAILING = /[. ]+$/u;
const DEVICE_NAME = /^(con|prn|aux|nul|conin\$|conout\$|(com|lpt)[0-9\u00b9\u00b2\u00b3])(?= *(\.|$))/iu;
/** What HFS+ and others skip when they compare names, so that `.g\u200cit` opens `.git`. */
const IGNORED = /[\u00ad\u061c\u180e\u200b-\u200f\u202a-\u202e\u2060-\u206f\ufeff\p{Variation_Selector}]/gu;
/** An extension longer than this is a part of the name. */
const MAX_EXTENSION_BYTES = 32;

/** What may not be written at all, whatever the system. */
export function nameProblem(name: string): NameProblem | undefined {
  if (name === '') return 'empty';
  if (name === '.' || name === '..') return 'dots';
  if (/[/\\]/.test(name)) return 'separator';
  if (CONTROL.test(name)) return 'control';
  // A UTF-16 unit is one byte of UTF-8 or more.
  if (name.length > MAX_NAME_BYTES || toUtf8(name).length > MAX_NAME_BYTES) return 'tooLong';
  return undefined;
}

/** A name that every system takes; a name that was one already stays as it is. */
export function safeName(name: string): string {
  const visible = name
    .slice(0, 4 * MAX_NAME_BYTES)
    .replace(MISLEADING, '')
    .replace(REFUSED_SOMEWHERE, '_');
  const whole = visible.replace(TRAILING, (ending) => '_'.repeat(ending.length)).replace(DEVICE_NAME, '$1_');
  return whole === '' ? '_' : shortened(whole, '');
}

/** `report.txt` and ` (2)` give `report (2).txt`; the name gives way where both are too long. */
export function withSuffix(name: string, suffix: string, kind: 'file' | 'folder'): string {
  return kind === 'file' ? shortened(name, suffix) : cut(name, MAX_NAME_BYTES - toUtf8(suffix).length) + suffix;
}

/** Two names that some system takes for one have the same key: NFC, no case, no invisible marks. */
export function clashKey(name: string): string {
  // Upper case first: it joins what has several lower cases (the two sigmas) and spells out what has none (sharp s).
  const folded = name.replace(IGNORED, '').normalize('NFC').toUpperCase().toLowerCase();
  return folded.normalize('NFC');
}

/** `.git` in every spelling that some system opens as `.git`: a folder of that name runs commands (F5). */
export function isGitName(name: string): boolean {
  const key = clashKey(name)
    .replace(/:.*$/u, '') // a stream of an NTFS file is opened by its name and a colon
    .replace(TRAILING, '');
  return key === '.git' || /^git~[0-9]+$/.test(key);
}

function shortened(name: string, suffix: string): string {
  const dot = name.lastIndexOf('.');
  const extension = dot > 0 && toUtf8(name.slice(dot)).length <= MAX_EXTENSION_BYTES ? name.slice(dot) : '';
  const stem = name.slice(0, name.length - extension.length);
  return cut(stem, MAX_NAME_BYTES - toUtf8(suffix + extension).length) + suffix + extension;
}

/** As many whole code points as fit: no part of what may not be written, as a surrogate alone, is here any more. */
function cut(text: string, maximumBytes: number): string {
  const bytes = toUtf8(text);
  if (bytes.length <= maximumBytes) return text;
  let end = Math.max(0, maximumBytes);
  // Not between the bytes of one.
  while (end > 0 && (bytes[end]! & 0xc0) === 0x80) end--;
  const kept = fromUtf8(bytes.subarray(0, end))!;
  // What is cut off may have stood between a dot and the end.
  return kept.replace(TRAILING, (ending) => '_'.repeat(ending.length));
}
