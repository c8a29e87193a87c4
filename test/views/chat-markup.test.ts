/** What the Markdown of a post costs whoever is shown it: one member’s text is on everybody’s page. */
import assert from 'node:assert/strict';
import { MAX_CHAT_TEXT_BYTES } from '../../src/protocol/limits.ts';
import { markdown, markup } from '../../src/webviews/chat/markup.ts';

const filled = (part: string) => part.repeat(MAX_CHAT_TEXT_BYTES / part.length);

describe('A post’s Markdown', () => {
  it('is not looked through for links again from each address in it that is none or too long', () => {
    const { linkify } = markdown;
    const matchAtStart = linkify.matchAtStart.bind(linkify);
    let looked = 0;
    linkify.matchAtStart = (text) => {
      const match = matchAtStart(text);
      looked += match?.lastIndex ?? 0;
      return match;
    };
    for (const part of ['http://a//', 'https://a.b/?', 'ftp://a//', 'http://a.com/,,', 'https://ä/']) {
      looked = 0;
      markup(filled(part));
      assert.ok(looked < 2 * MAX_CHAT_TEXT_BYTES, `${part}: ${looked}`);
    }
  });

  it('that would be thousands of elements is none', () => {
    const table = (columns: number) =>
      filled(`${'|'.repeat(columns + 1)}\n${'-|'.repeat(columns)}-\n${'a\n'.repeat(500)}`);
    for (const text of [filled('|a\n|-\n'), filled('-\n'), filled('*`'), filled('a\n'), table(64)])
      assert.ok(markup(text) === undefined, text.slice(0, 20));
    const row = `|${'a|'.repeat(10)}\n`;
    assert.ok(markup(`${row}|${'-|'.repeat(10)}\n${row.repeat(100)}`));
    assert.ok(markup(`\`\`\`\n${filled('<a>\n')}`), 'code is one element, whatever stands in it');
  });
});
