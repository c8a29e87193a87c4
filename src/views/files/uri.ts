/** `coterie:` addresses as vscode's own objects. */
import * as vscode from 'vscode';
import { type FilePlace, partsOf, placeOf, SCHEME } from './place.ts';

export function uriOf(place: FilePlace): vscode.Uri {
  return vscode.Uri.from(partsOf(place));
}

/** Where a `coterie:` address points; what does not point into a workspace cannot be found. */
export function requirePlace(uri: vscode.Uri): FilePlace {
  const place = placeOf(uri);
  if (place === undefined) throw vscode.FileSystemError.FileNotFound(uri);
  return place;
}

/** What a row of a workspace or a tool stands for; VS Code decorates by address. */
export function rowUri(workspace: string, tool?: string): vscode.Uri {
  const authority = tool === undefined ? workspace : `${workspace}.${tool}`;
  return vscode.Uri.from({ scheme: SCHEME, authority, path: '/' });
}
