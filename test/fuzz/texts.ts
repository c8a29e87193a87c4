/** Readers of text: what a person pastes, what a link holds, what a neighbour on the LAN says of himself. */
import assert from 'node:assert/strict';
import fc from 'fast-check';
import { describe, it } from 'mocha';
import { bounded, fixed, TIMEOUT_MS } from './attack.ts';

export interface TextTarget {
  /** Begins with the id of a rule. */
  readonly name: string;
  /** Whether it takes the text; asserts by itself that it can be written again. */
  readonly read: (text: string) => boolean;
  readonly valid: readonly string[];
}

const PIECES = [
  '',
  ' ',
  '\n',
  '\r\n> ',
  '\0',
  '#',
  '?',
  '%',
  '%zz',
  '%E0%A4%A',
  '[',
  ']',
  ':',
  '::',
  '/',
  '://',
  '=',
  '&',
  '-',
  '@',
  '\ufeff',
  '\u202e',
  '\ud800',
  '😀',
  '99999999999',
  '-1',
  'a'.repeat(600),
  '../'.repeat(20),
  'A'.repeat(64),
];

export function survivesText({ name, read, valid }: TextTarget): void {
  const tried = (text: string): boolean => bounded(2 * text.length, () => read(text));

  describe(name, function () {
    this.timeout(TIMEOUT_MS);

    it('takes what is valid', () => {
      for (const text of valid) assert.ok(tried(text), text);
    });

    it('answers any text', () => {
      const text = fc.oneof(
        fc.string({ unit: 'binary', maxLength: 200 }),
        fc.array(fc.constantFrom(...PIECES, ...valid), { maxLength: 8 }).map((pieces) => pieces.join('')),
      );
      fc.assert(
        fc.property(text, (one) => void tried(one)),
        fixed(11),
      );
    });

    it('answers valid text that was changed', () => {
      let refused = 0;
      const change = fc.tuple(fc.nat(), fc.nat({ max: 20 }), fc.constantFrom(...PIECES));
      const check = fc.property(
        fc.constantFrom(...valid),
        fc.array(change, { minLength: 1, maxLength: 3 }),
        (text, changes) => {
          const changed = changes.reduce((whole, [at, remove, insert]) => {
            const from = whole.length === 0 ? 0 : at % whole.length;
            return whole.slice(0, from) + insert + whole.slice(from + remove);
          }, text);
          refused += Number(!tried(changed));
        },
      );
      fc.assert(check, fixed(12));
      assert.ok(refused > 0, 'nothing was refused: the check was empty');
    });

    it('answers long text without going over it again and again', () => {
      for (const piece of PIECES) tried(piece.repeat(Math.ceil(100_000 / Math.max(1, piece.length))));
    });
  });
}
