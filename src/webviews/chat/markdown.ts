/**
 * A post is hostile text until it has been through here. Markdown without HTML becomes HTML; what comes out is sanitised to a short list of
 * elements and one attribute; pictures are links, since a remote one would tell its server who reads.
 */
import DOMPurify from 'dompurify';
import { markup } from './markup.ts';
import { isAllowedLink } from './messages.ts';

const sanitised = {
  ALLOWED_TAGS: [
    ...['p', 'br', 'hr', 'strong', 'em', 's', 'code', 'pre', 'blockquote', 'ul', 'ol', 'li', 'a'],
    ...['h1', 'h2', 'h3', 'h4', 'h5', 'h6', 'table', 'thead', 'tbody', 'tr', 'th', 'td'],
  ],
  ALLOWED_ATTR: ['href'],
  ALLOW_ARIA_ATTR: false,
  ALLOW_DATA_ATTR: false,
  ALLOWED_URI_REGEXP: /^(?:https?:\/\/|mailto:|vscode:\/\/)/i,
  RETURN_DOM_FRAGMENT: true,
} as const;

export function renderPost(text: string): DocumentFragment {
  const html = markup(text);
  if (html === undefined) return asWritten(text);
  const fragment = DOMPurify.sanitize(html, {
    ...sanitised,
    ALLOWED_TAGS: [...sanitised.ALLOWED_TAGS],
    ALLOWED_ATTR: [...sanitised.ALLOWED_ATTR],
  });
  for (const link of fragment.querySelectorAll('a')) {
    const href = link.getAttribute('href');
    if (href === null || !isAllowedLink(href)) link.replaceWith(...link.childNodes);
    // Where it really leads, whatever it says.
    else link.title = href;
  }
  return fragment;
}

function asWritten(text: string): DocumentFragment {
  const [fragment, block] = [document.createDocumentFragment(), document.createElement('pre')];
  block.textContent = text;
  fragment.append(block);
  return fragment;
}
