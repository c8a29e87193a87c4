import assert from 'node:assert/strict';
import { readFileSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { BridgeError } from '../../src/bridges/bridge-error.ts';
import { Calls } from '../../src/service/calls.ts';
import { errorCode, errorDetail, errorTrace } from '../../src/views/errors.ts';
import {
  conflictsSentence,
  doneSentences,
  errorSentence,
  errorSentences,
  fills,
  joinSentences,
  linkSentences,
  noticeSentences,
  notAcceptedReasons,
  reasonSentences,
  reasonWords,
  relaySentences,
  skipSentences,
  stalledSentence,
} from '../../src/views/sentences.ts';
import { ServiceError } from '../../src/service/api.ts';

const source = readFileSync('src/service/api.ts', 'utf8');

/** The members of a union of texts, as the source declares them. */
function union(start: string): string[] {
  const from = source.indexOf(start);
  assert.ok(from >= 0, start);
  const text = source.slice(from + start.length, source.indexOf(';', from)).replace(/\/\/.*$/gm, '');
  return [...text.matchAll(/'([^']+)'/g)].map((match) => match[1]!);
}

describe('sentences for people', () => {
  const tables = [
    ['ServiceErrorCode', union('export type ServiceErrorCode ='), errorSentences],
    [
      'NoticeCode',
      source
        .slice(source.indexOf('export type NoticeCode'))
        .split(/(?<=');/)[0]!
        .match(/(?<=\| ')\w+(?=')/g)!,
      noticeSentences,
    ],
    ['the reasons of a join', union('export type JoinReason ='), joinSentences],
    ['the reasons of a relay', union("readonly reason?: 'unreachable'").concat('unreachable'), relaySentences],
  ] as const;

  for (const [name, codes, table] of tables) {
    it(`there is one for each of ${name}, and none too many`, () => {
      assert.ok(codes.length > 3);
      assert.deepEqual(Object.keys(table).sort(), [...codes].sort());
    });
    it(`each of ${name} says what happened, what was kept or what to do, and ends as a sentence`, () => {
      for (const [code, { text }] of Object.entries(table)) {
        assert.match(text, /^[A-Z“{].{20,}\.$/s, code);
        assert.doesNotMatch(text, /error|exception|undefined|stack|code \d/i, code);
      }
    });
    it(`what ${name} may name has words where the detail lacks it`, () => {
      for (const { text } of Object.values(table)) {
        for (const [, field] of text.matchAll(/\{(\w+)\}/g)) assert.ok(field! in fills({}), field);
      }
    });
  }

  it('a name is the last of a path where the detail has a path alone', () => {
    assert.equal(fills({ path: '/folder/what?.txt' })['name'], 'what?.txt');
    assert.equal(fills({ path: '/a', name: 'b' })['name'], 'b');
    assert.equal(fills({})['name'], '');
  });

  it('each reason for leaving a file out has words', () => {
    const reasons = union("reason: 'unreadable'").concat('unreadable');
    // The interface ends with a brace, and so the slice may hold more than the union: ours must be among them.
    for (const reason of Object.keys(skipSentences)) assert.ok(reasons.includes(reason), reason);
  });

  it('a failure that tells its reason has the sentence of that reason, and else of its code', () => {
    assert.match(errorSentence('inUse', { reason: 'version' }).text, /another version/);
    assert.equal(errorSentence('inUse', { reason: 'stalled' }), errorSentences.inUse);
    assert.equal(errorSentence('exists', {}), errorSentences.exists);
  });

  it('what a folder of this machine refuses is said of that folder, not of a role, of a file or of the store', async () => {
    const calls = new Calls(() => undefined, {} as never);
    for (const code of ['notPermitted', 'notFound', 'diskFull', 'io'] as const) {
      const fails = calls.do(() => Promise.reject(new BridgeError(code)));
      const error: unknown = await fails.catch((thrown: unknown) => thrown);
      const { text } = errorSentence(errorCode(error), errorDetail(error));
      assert.match(text, /that folder.*in the workspace nothing was changed/i, code);
    }
    // A verdict has that reason.
    assert.match(errorSentence('notPermitted', { reason: 'notPermitted' }).text, /Your role/);
  });

  it('what is not there any more is no file where none was named: a request that was answered in another window', () => {
    assert.doesNotMatch(errorSentence('notFound', {}).text, /\{path\}|file|renamed/);
    assert.equal(errorSentence('notFound', { path: '/plan.md' }), errorSentences.notFound);
  });

  it('F3 who opens what is not here hears what will happen, and who asked for it otherwise, what to do', () => {
    const fails = { path: '/docs/plan.md', reason: 'opened' };
    assert.match(errorSentence('notPresent', fails).text, /\{path\} has not arrived yet.*shows there by itself/);
    assert.match(errorSentence('notPresent', { path: '/docs/plan.md' }).text, /Try again/);
  });

  it('D1 a full disk: what stands in memory is said to stand, and to be lost with VS Code', () => {
    for (const { text } of [errorSentence('diskFull', { reason: 'kept' }), noticeSentences.diskFull])
      assert.match(text, /in memory.*saved and sent by itself once there is room.*before you close VS Code/);
    assert.match(errorSentence('diskFull', { reason: 'diskFull' }).text, /could not be saved/);
  });

  it('a failure is known by its code wherever it was made, and what is not one of ours is internal', () => {
    assert.equal(errorCode(new ServiceError('diskFull')), 'diskFull');
    assert.equal(errorCode({ name: 'ServiceError', code: 'exists' }), 'exists');
    assert.equal(errorCode(Object.assign(new Error(''), { code: 'ENOENT' })), 'internal');
    assert.equal(errorCode(Object.assign(new Error(''), { code: 'toString' })), 'internal');
    assert.equal(errorCode(undefined), 'internal');
  });

  it('the log gets no word of a message, which may name a file or a person', () => {
    const trace = errorTrace(new Error('cannot read /home/alice/secret plans.md\nof Alice'));
    assert.doesNotMatch(trace, /alice|secret/i);
    assert.match(trace, /^Error internal\n\s+at /);
  });

  it('every text of the views stands in the translation’s template, and nothing else does', () => {
    const wanted = new Set<string>();
    for (const [, , table] of tables) for (const { text } of Object.values(table)) wanted.add(text);
    for (const text of Object.values(skipSentences)) wanted.add(text);
    for (const text of [...Object.values(notAcceptedReasons), reasonWords('another')]) wanted.add(text);
    for (const table of [doneSentences, reasonSentences, linkSentences, { stalledSentence, conflictsSentence }])
      for (const { text } of Object.values(table)) wanted.add(text);
    for (const file of sourceFiles('src/views'))
      for (const text of literals(readFileSync(file, 'utf8'))) wanted.add(text);
    const bundle = JSON.parse(readFileSync('l10n/bundle.l10n.json', 'utf8')) as Record<string, string>;
    assert.deepEqual(Object.keys(bundle).sort(), [...wanted].sort());
  });
});

function sourceFiles(folder: string): string[] {
  return readdirSync(folder, { recursive: true, encoding: 'utf8' })
    .filter((name) => name.endsWith('.ts'))
    .map((name) => join(folder, name));
}

/** The first argument of each `l10n.t('…')` or `t('…')`. */
function literals(text: string): string[] {
  return [...text.matchAll(/\bt\(\s*'((?:[^'\\]|\\.)*)'/g)].map((match) => match[1]!.replace(/\\(.)/g, '$1'));
}
