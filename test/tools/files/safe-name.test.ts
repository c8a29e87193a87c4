import assert from 'node:assert/strict';
import fc from 'fast-check';
import { MAX_NAME_BYTES } from '../../../src/protocol/limits.ts';
import { clashKey, isGitName, nameProblem, safeName, withSuffix } from '../../../src/tools/files/safe-name.ts';

const anyName = fc.oneof(
  fc.string({ unit: 'binary', maxLength: 300 }),
  fc.string({ unit: 'grapheme', maxLength: 120 }),
  fc.string({
    unit: fc.constantFrom('a', 'C', 'o', 'n', '.', ' ', '/', '\\', ':', '\u202e', '\0', '\ud800', '~', 'ß'),
    maxLength: 12,
  }),
);

describe('F4 what may not be written', () => {
  const problems = {
    '': 'empty',
    '.': 'dots',
    '..': 'dots',
    'a/b': 'separator',
    '../../etc/passwd': 'separator',
    'a\\b': 'separator',
    'a\0b': 'control',
    'a\nb': 'control',
    'a\u0085b': 'control',
    'a\ud800b': 'control',
    ['é'.repeat(128)]: 'tooLong',
    ['x'.repeat(256)]: 'tooLong',
  } as const;
  for (const [name, problem] of Object.entries(problems)) {
    it(`F4 ${JSON.stringify(name).slice(0, 30)} is ${problem}`, () => assert.equal(nameProblem(name), problem));
  }
  it('F4 everything else may, in every language', () => {
    for (const name of [
      'a',
      '.env',
      '...',
      'Ünïcode 文件.txt',
      'עברית',
      '👩‍👩‍👧.png',
      'x'.repeat(255),
      'aux.c',
      'é'.normalize('NFD'),
    ]) {
      assert.equal(nameProblem(name), undefined, name);
    }
  });
});

describe('F4 how a name that some system refuses is shown', () => {
  const shown: Record<string, string> = {
    'plain.txt': 'plain.txt',
    '.gitignore': '.gitignore',
    'Ünïcode 文件.txt': 'Ünïcode 文件.txt',
    '': '_',
    '.': '_',
    '..': '__',
    '../../etc/passwd': '.._.._etc_passwd',
    'C:\\Windows\\win.ini': 'C__Windows_win.ini',
    'what?*.txt': 'what__.txt',
    'ends. .': 'ends___',
    CON: 'CON_',
    'con.tar.gz': 'con_.tar.gz',
    'aux.c': 'aux_.c',
    'com1.txt': 'com1_.txt',
    'COM¹': 'COM¹_',
    'nul ': 'nul_',
    'console.ts': 'console.ts',
    'com10.txt': 'com10.txt',
    'photo\u202egpj.exe': 'photogpj.exe',
    'zero\u200bwidth': 'zerowidth',
    '\u200f': '_',
    'tab\there': 'tab_here',
    'half\ud83d': 'half_',
  };
  for (const [name, expected] of Object.entries(shown)) {
    it(`F4 ${JSON.stringify(name)} as ${expected}`, () => assert.equal(safeName(name), expected));
  }

  it('F4 an over-long name does not end in a dot or a space where it is cut', () => {
    for (const end of ['.', ' ', '. .']) {
      const name = `${'x'.repeat(MAX_NAME_BYTES - end.length)}${end}${'y'.repeat(40)}`;
      assert.equal(safeName(name), `${'x'.repeat(MAX_NAME_BYTES - end.length)}${'_'.repeat(end.length)}`);
    }
  });

  it('F4 an over-long name keeps its extension and whole characters', () => {
    const name = safeName(`${'文'.repeat(200)}.txt`);
    assert.ok(name.endsWith('.txt') && Buffer.byteLength(name) <= MAX_NAME_BYTES && Buffer.byteLength(name) > 250);
    assert.ok(name.isWellFormed());
  });

  it('F4 whatever the name, the shown one can be written everywhere, and is its own', () => {
    fc.assert(
      fc.property(anyName, (name) => {
        const safe = safeName(name);
        assert.equal(nameProblem(safe), undefined);
        assert.doesNotMatch(safe, /[<>:"/\\|?*]|[. ]$|^(con|aux|nul|prn|com\d|lpt\d)\s*(\.|$)/i);
        assert.equal(safeName(safe), safe);
      }),
      { seed: 21, numRuns: 5000 },
    );
  });

  it('F4 a suffix stands before the extension and never makes a name too long', () => {
    assert.equal(withSuffix('a.txt', ' (2)', 'file'), 'a (2).txt');
    assert.equal(withSuffix('a.b', ' (2)', 'folder'), 'a.b (2)');
    assert.equal(withSuffix('.env', ' (2)', 'file'), '.env (2)');
    assert.equal(withSuffix('noext', ' (2)', 'file'), 'noext (2)');
    fc.assert(
      fc.property(anyName, fc.constantFrom('file' as const, 'folder' as const), (name, kind) => {
        const suffixed = withSuffix(safeName(name), ' (conflict copy of Bob) (12)', kind);
        assert.equal(nameProblem(suffixed), undefined);
        assert.equal(safeName(suffixed), suffixed);
        assert.ok(suffixed.includes(' (conflict copy of Bob) (12)'));
      }),
      { seed: 22, numRuns: 2000 },
    );
  });
});

describe('F4 names that some system takes for one', () => {
  it('F4 have the same key', () => {
    for (const [a, b] of [
      ['README.md', 'readme.MD'],
      ['é', 'é'.normalize('NFD')],
      ['STRASSE', 'straße'],
      ['ΣΑΣ', 'σας'],
      ['a\u200cb', 'ab'],
      ['İ', 'i\u0307'],
    ] as const) {
      assert.equal(clashKey(a), clashKey(b), `${a} ${b}`);
    }
    assert.notEqual(clashKey('a'), clashKey('b'));
    assert.notEqual(clashKey('e'), clashKey('é'));
  });

  it('F5 .git is known in every spelling', () => {
    for (const name of [
      '.git',
      '.GIT',
      '.Git',
      '.git.',
      '.git ',
      '.git. .',
      'git~1',
      'GIT~2',
      '.g\u200cit',
      '.git\ufeff',
      '.git::$INDEX_ALLOCATION',
    ]) {
      assert.ok(isGitName(name), JSON.stringify(name));
    }
    for (const name of ['.gitignore', 'git', '.github', 'my.git', '.gitmodules', 'git~x'])
      assert.ok(!isGitName(name), name);
  });
});
