import assert from 'node:assert/strict';
import { invitationOfLink, invitationOfText, linkCodeOfLink, linkCodeOfText } from '../../src/views/invitation-text.ts';

const secret = 'AbC-_0123456789';
const link = `vscode://coterie.coterie/join#${secret}`;

describe('invitations as they arrive (N1)', () => {
  it('a link with its fragment', () => {
    assert.equal(invitationOfLink({ path: '/join', query: 'windowId=2', fragment: secret }), link);
  });

  it('a link whose fragment a browser dropped, in its query form', () => {
    assert.equal(invitationOfLink({ path: '/join', query: secret, fragment: '' }), link);
    assert.equal(invitationOfLink({ path: '/join', query: `i=${secret}&windowId=2`, fragment: '' }), link);
  });

  it('a link that lost both, leads elsewhere, or is far too long, is none', () => {
    assert.equal(invitationOfLink({ path: '/join', query: '', fragment: '' }), undefined);
    assert.equal(invitationOfLink({ path: '/join', query: 'windowId=2', fragment: '' }), undefined);
    assert.equal(invitationOfLink({ path: '/run', query: '', fragment: secret }), undefined);
    assert.equal(invitationOfLink({ path: '/join', query: '', fragment: 'x'.repeat(20_000) }), undefined);
  });

  it('a pasted text: with blanks, in angle brackets, within a sentence, of another VS Code', () => {
    for (const text of [
      ` ${link}\n`,
      `<${link}>`,
      `Join us: ${link} – Alice`,
      `vscode-insiders://coterie.coterie/join#${secret}`,
      `code-oss://coterie.coterie/join?i=${secret}`,
    ]) {
      assert.equal(invitationOfText(text), link, text);
    }
  });

  it('what holds no link is passed on as it is: the service knows the content of a file', () => {
    assert.equal(invitationOfText('\ncoterie-invite 0 abc\n'), 'coterie-invite 0 abc');
  });

  it('a link code comes in the same ways, and neither is taken for the other', () => {
    const uri = (path: string, query: string, fragment: string) => ({ path, query, fragment });
    assert.equal(linkCodeOfLink(uri('/link', '', 'c0de')), 'vscode://coterie.coterie/link#c0de');
    assert.equal(linkCodeOfLink(uri('/link', 'i=c0de&windowId=2', '')), 'vscode://coterie.coterie/link#c0de');
    assert.equal(linkCodeOfLink(uri('/join', '', 'c0de')), undefined);
    assert.equal(invitationOfLink(uri('/link', '', 'c0de')), undefined);
    assert.equal(linkCodeOfText('<vscode://coterie.coterie/link#c0de>'), 'vscode://coterie.coterie/link#c0de');
    assert.equal(linkCodeOfText(' c0de\n'), 'c0de');
  });
});
