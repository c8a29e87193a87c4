/**
 * Where a shared file is: `coterie://<workspace>.<tool>/<path>`. Ids, so that nothing breaks when a workspace or a tool is renamed; both in the
 * authority, so that the path is the file's own path and reads well in tabs, breadcrumbs and the explorer.
 */
export const SCHEME = 'coterie';

export interface FilePlace {
  readonly workspace: string;
  readonly tool: string;
  /** `/a/b`; `/` is the root of the tool. */
  readonly path: string;
}

/** What a `vscode.Uri` has, without vscode. */
export interface UriParts {
  readonly scheme: string;
  readonly authority: string;
  readonly path: string;
}

export function partsOf(place: FilePlace): UriParts {
  return { scheme: SCHEME, authority: `${place.workspace}.${place.tool}`, path: place.path };
}

export function placeOf(uri: UriParts): FilePlace | undefined {
  if (uri.scheme !== SCHEME) return undefined;
  const match = /^([0-9a-f]+)\.([0-9a-f]+)$/.exec(uri.authority);
  if (match === null) return undefined;
  const path = uri.path.replace(/\/+$/, '');
  return { workspace: match[1]!, tool: match[2]!, path: path === '' ? '/' : path };
}

export function childPath(folder: string, name: string): string {
  return folder === '/' ? `/${name}` : `${folder}/${name}`;
}

export function parentPath(path: string): string {
  const cut = path.lastIndexOf('/');
  return cut <= 0 ? '/' : path.slice(0, cut);
}

export function baseName(path: string): string {
  return path.slice(path.lastIndexOf('/') + 1);
}
