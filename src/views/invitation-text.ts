/**
 * An invitation, however it arrives: the link as pasted, the link as VS Code hands it to the URI handler (its fragment may have been dropped by
 * a browser on the way, hence the query form), or the content of a `.coterie-invite` file. Whether it is a good one, the service says.
 */
/** An invitation names a few addresses and keys. */
export const MAX_INVITATION_CHARACTERS = 16 * 1024;

/** The invitation in a link that the URI handler got, as the service reads it; undefined for a link that is not one. */
export function invitationOfLink(uri: {
  readonly path: string;
  readonly query: string;
  readonly fragment: string;
}): string | undefined {
  if (uri.path.replace(/\/+$/, '') !== '/join') return undefined;
  const secret = uri.fragment !== '' ? uri.fragment : secretOfQuery(uri.query);
  if (secret === undefined || secret.length > MAX_INVITATION_CHARACTERS) return undefined;
  return `vscode://coterie.coterie/join#${secret}`;
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
  const trimmed = text.trim().replace(/^<(.*)>$/s, '$1');
  // A scheme of any length would be looked for from every letter of a long text anew: 14 s for 100,000 letters.
  const link = /[a-z][a-z-]{0,30}:\/\/coterie\.coterie\/join[?#]\S+/.exec(trimmed);
  if (link === null) return trimmed;
  const cut = link[0].search(/[?#]/);
  const query = link[0].slice(cut + 1);
  const secret = link[0][cut] === '#' ? query : secretOfQuery(query.split('#')[0]!);
  return `vscode://coterie.coterie/join#${secret ?? query}`;
}
