import assert from 'node:assert/strict';
import fc from 'fast-check';
import { fromHex, toHex } from '../../src/base/bytes.ts';
import {
  MAX_PHRASE_CHARACTERS,
  phraseOfSeed,
  seedOfPhrase,
  type PhraseError,
} from '../../src/service/recovery-phrase.ts';

/** Published with BIP 39 (its test vectors of 256 bits). */
const VECTORS = [
  ['00'.repeat(32), `${'abandon '.repeat(23)}art`],
  [
    '7f'.repeat(32),
    `${'legal winner thank year wave sausage worth useful '.repeat(2)}legal winner thank year wave sausage worth title`,
  ],
  [
    '80'.repeat(32),
    `${'letter advice cage absurd amount doctor acoustic avoid '.repeat(2)}letter advice cage absurd amount doctor acoustic bless`,
  ],
  ['ff'.repeat(32), `${'zoo '.repeat(23)}vote`],
  [
    '68a79eaca2324873eacc50cb9c6eca8cc68ea5d936f98787c60c7ebc74e6ce7c',
    'hamster diagram private dutch cause delay private meat slide toddler razor book happy fancy gospel tennis maple dilemma loan word shrug inflict delay length',
  ],
  [
    'f585c11aec520db57dd353c69554b21a89b20fb0650966fa0a9d6f74fd989d8f',
    'void come effort suffer camp survey warrior heavy shoot primary clutch crush open amazing screen patrol group space point ten exist slush involve unfold',
  ],
] as const;

const [seedHex, phrase] = VECTORS[5];

function errorOf(text: string): PhraseError {
  const read = seedOfPhrase(text);
  assert.ok(!read.ok, text);
  return read.error;
}

describe('recovery phrase', () => {
  it('I2 says the words that BIP 39 has for a seed, and takes them back', () => {
    for (const [seed, words] of VECTORS) {
      assert.equal(phraseOfSeed(fromHex(seed)!), words);
      const read = seedOfPhrase(words);
      assert.equal(read.ok && toHex(read.value), seed);
    }
  });

  it('I2 every seed comes back', () => {
    fc.assert(
      fc.property(fc.uint8Array({ minLength: 32, maxLength: 32 }), (seed) => {
        const read = seedOfPhrase(phraseOfSeed(seed));
        assert.deepEqual(read.ok && [...read.value], [...seed]);
      }),
      { seed: 1, numRuns: 200 },
    );
  });

  it('I2 takes what a person types: case, numbers, lines, commas, words cut after four letters', () => {
    const words = phrase.split(' ');
    for (const typed of [
      phrase.toUpperCase(),
      `  ${words.join('\n')}\n`,
      words.map((word, i) => `${i + 1}. ${word}`).join(', '),
      words.map((word) => word.slice(0, 4)).join(' '),
    ]) {
      const read = seedOfPhrase(typed);
      assert.equal(read.ok && toHex(read.value), seedHex, typed);
    }
  });

  it('I2 names the word that is not one, with its place and what it may have been', () => {
    const words = phrase.split(' ');
    const slip = (place: number, word: string) => words.with(place - 1, word).join(' ');
    assert.deepEqual(errorOf(slip(9, 'shot')), {
      tag: 'word',
      place: 9,
      word: 'shot',
      near: ['shoe', 'shoot', 'shop'],
    });
    assert.deepEqual(errorOf(slip(1, 'viod')), { tag: 'word', place: 1, word: 'viod', near: ['void'] });
    assert.deepEqual(errorOf(slip(24, 'unfoldd')), { tag: 'word', place: 24, word: 'unfoldd', near: ['unfold'] });
    assert.deepEqual(errorOf(slip(3, 'bürger')), { tag: 'word', place: 3, word: 'bürger', near: ['burger'] });
    assert.deepEqual(errorOf(slip(3, 'xyzzyx')), { tag: 'word', place: 3, word: 'xyzzyx', near: [] });
  });

  it('I2 counts the words', () => {
    const words = phrase.split(' ');
    assert.deepEqual(errorOf(''), { tag: 'length', words: 0 });
    assert.deepEqual(errorOf(words.slice(1).join(' ')), { tag: 'length', words: 23 });
    assert.deepEqual(errorOf(`${phrase} void`), { tag: 'length', words: 25 });
    assert.deepEqual(errorOf('zoo '.repeat(MAX_PHRASE_CHARACTERS)), { tag: 'length', words: 0 });
  });

  it('I2 sees by the checksum that words have changed places or one is another', () => {
    const words = phrase.split(' ');
    assert.deepEqual(errorOf(words.with(0, 'come').with(1, 'void').join(' ')), { tag: 'checksum' });
    assert.deepEqual(errorOf(words.with(23, 'unfair').join(' ')), { tag: 'checksum' });
  });

  it('D4 whatever is typed, it answers and never throws', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary', maxLength: 1_200 }), (text) => assert.ok(!seedOfPhrase(text).ok)),
      { seed: 2, numRuns: 200 },
    );
  });
});
