/**
 * The recovery phrase (I2): the account's 32-byte seed as 24 English words of BIP 39, its last byte's worth of bits a checksum.
 * The words stand for the seed itself, by BIP 39's encoding of entropy; its derivation of wallets' keys is not used.
 * Whoever has the words has the account: they are shown, never stored.
 */
import { entropyToMnemonic, mnemonicToEntropy } from '@scure/bip39';
import { wordlist } from '@scure/bip39/wordlists/english.js';
import { assert } from '../base/assert.ts';
import { err, ok, type Result } from '../base/result.ts';
import { KEY_BYTES } from '../crypto/crypto.ts';
import { ServiceError } from './api.ts';

export const PHRASE_WORDS = 24;
/** 24 words of at most 8 letters, numbered and on a line each, and room for what mail programs add: more is no phrase. */
export const MAX_PHRASE_CHARACTERS = 1024;
/** Any two words of the list differ within the first four letters (BIP 39). */
const PREFIX_LETTERS = 4;

export type PhraseError =
  | { readonly tag: 'length'; readonly words: number }
  /** `place` counts from 1; `near` are words of the list that it may have been. */
  | { readonly tag: 'word'; readonly place: number; readonly word: string; readonly near: readonly string[] }
  /** Each is a word of the list, and together they are no phrase: one is another, or two have changed places. */
  | { readonly tag: 'checksum' };

export function phraseOfSeed(seed: Uint8Array): string {
  assert(seed.length === KEY_BYTES, 'the seed of an account has 32 bytes');
  return entropyToMnemonic(seed, wordlist);
}

/** As somebody types it: any case and spacing, with numbers, and with words cut after their fourth letter. */
export function seedOfPhrase(text: string): Result<Uint8Array, PhraseError> {
  const typed = text.length > MAX_PHRASE_CHARACTERS ? [] : (text.toLowerCase().match(/\p{L}+/gu) ?? []);
  if (typed.length !== PHRASE_WORDS) return err({ tag: 'length', words: typed.length });
  const words: string[] = [];
  for (const [i, word] of typed.entries()) {
    const known = wordOf(word);
    if (known === undefined) return err({ tag: 'word', place: i + 1, word, near: wordsNear(word) });
    words.push(known);
  }
  try {
    return ok(mnemonicToEntropy(words.join(' '), wordlist));
  } catch {
    return err({ tag: 'checksum' }); // all that is left to be wrong
  }
}

/** Throws ServiceError('badPhrase'). */
export function mustBeSeed(text: string): Uint8Array {
  const seed = seedOfPhrase(text);
  if (seed.ok) return seed.value;
  const { error } = seed;
  switch (error.tag) {
    case 'length':
      throw new ServiceError('badPhrase', { reason: 'length', count: String(error.words) });
    case 'word': {
      const { place, word, near } = error;
      const reason = near.length > 0 ? 'near' : 'word';
      throw new ServiceError('badPhrase', { reason, place: String(place), word, near: near.join(', ') });
    }
    case 'checksum':
      throw new ServiceError('badPhrase', { reason: 'checksum' });
  }
}

function wordOf(typed: string): string | undefined {
  if (wordlist.includes(typed)) return typed;
  return typed.length === PREFIX_LETTERS ? wordlist.find((word) => word.startsWith(typed)) : undefined;
}

/** At most three, one slip of the pen away. */
function wordsNear(typed: string): readonly string[] {
  return wordlist.filter((word) => isOneSlipAway(typed, word)).slice(0, 3);
}

/** A letter more, less, another, or two that have changed places. */
function isOneSlipAway(a: string, b: string): boolean {
  if (Math.abs(a.length - b.length) > 1) return false;
  let start = 0;
  while (start < a.length && a[start] === b[start]) start++;
  const [restA, restB] = [a.slice(start), b.slice(start)];
  return (
    restA.slice(1) === restB ||
    restA === restB.slice(1) ||
    restA.slice(1) === restB.slice(1) ||
    (restA[0] === restB[1] && restA[1] === restB[0] && restA.slice(2) === restB.slice(2))
  );
}
