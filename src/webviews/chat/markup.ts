/** A post's Markdown, without HTML, as HTML that is not sanitised yet; and no more of either than a page bears: a member's text is on everybody's. */
import MarkdownIt from 'markdown-it';
import { isAllowedScheme } from './messages.ts';

/** More than anybody writes by hand. Twenty thousand, which one text can ask for, keep the page busy for a second. */
const MAX_ELEMENTS = 2000;

export const markdown = new MarkdownIt({ html: false, linkify: true, breaks: true, typographer: false });
// Not by their length: from each `http:` in a link that is refused, all that follows would be looked through once more.
markdown.validateLink = isAllowedScheme;
markdown.linkify.add('ftp:', null);
markdown.disable('image');

/** Undefined where it would be too many elements. */
export function markup(text: string): string | undefined {
  const html = markdown.render(text);
  return html.split(/<(?!\/)/, MAX_ELEMENTS + 2).length > MAX_ELEMENTS + 1 ? undefined : html;
}
