/**
 * An invitation or a link code, however it arrives: the link as pasted, the link as VS Code hands it to the URI handler (its fragment may have been dropped by
 * a browser on the way, hence the query form), or the content of a `.coterie-invite` file. Whether it is a good one, the service says.
 */
/** An invitation names a few addresses and keys. */
export const MAX_INVITATION_CHARACTERS = 16 * 1024;

interface LinkParts {
  readonly path: string;
  readonly query: string;
  readonly fragment: string;
}

/** The invitation in a link that the URI handler got, as the service reads it; undefined for a link that is not one. */
export function invitationOfLink(uri: LinkParts): string | undefined {
  return secretLink(uri, 'join');
}

/** In the same way, the code that makes this device one of somebody's (I2). */
export function linkCodeOfLink(uri: LinkParts): string | undefined {
  return secretLink(uri, 'link');
}

function secretLink({ path, query, fragment }: LinkParts, of: 'join' | 'link'): string | undefined {
  if (path.replace(/\/+$/, '') !== `/${of}`) return undefined;
  const secret = fragment !== '' ? fragment : secretOfQuery(query);
  if (secret === undefined || secret.length > MAX_INVITATION_CHARACTERS) return undefined;
  return `vscode://coterie.coterie/${of}#${secret}`;
}

/** `?i=…`, or the secret alone after the question mark; VS Code adds parameters of its own (windowId). */
function secretOfQuery(query: string): string | undefined {
  for (const part of query.split('&')) {
    const cut = part.indexOf('=');
    if (cut < 0 && part !== '') return part;
    if (part.slice(0, cut) === 'i' && cut >= 0) return decodedPart(part.slice(cut + 1));
  }
  return undefined;
}

/** Undefined where a percent sign stands before what is no code: anybody can make a link, and so nothing here may throw. */
function decodedPart(text: string): string | undefined {
  try {
    return decodeURIComponent(text);
  } catch {
    return undefined;
  }
}

/** What was pasted or read from a file, cleaned of what mail programs put around it. */
export function invitationOfText(text: string): string {
  // A scheme of any length would be looked for from every letter of a long text anew: 14 s for 100,000 letters.
  return linkIn(text, /[a-z][a-z-]{0,30}:\/\/coterie\.coterie\/join[?#]\S+/, 'join');
}

export function linkCodeOfText(text: string): string {
  return linkIn(text, /[a-z][a-z-]{0,30}:\/\/coterie\.coterie\/link[?#]\S+/, 'link');
}

function linkIn(text: string, pattern: RegExp, of: 'join' | 'link'): string {
  const trimmed = text.trim().replace(/^<(.*)>$/s, '$1');
  const link = pattern.exec(trimmed);
  if (link === null) return trimmed;
  const cut = link[0].search(/[?#]/);
  const query = link[0].slice(cut + 1);
  const secret = link[0][cut] === '#' ? query : secretOfQuery(query.split('#')[0]!);
  return `vscode://coterie.coterie/${of}#${secret ?? query}`;
}
