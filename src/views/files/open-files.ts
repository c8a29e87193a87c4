/** Files that are open as text or as a notebook, in a tab or behind one. */
import * as vscode from 'vscode';

/** Whether a file's tab has text that is not saved, or its notebook. */
export function isUnsaved(key: string): boolean {
  return openFiles().some(({ isDirty, uri }) => isDirty && uri.toString() === key);
}

export function isOpen(key: string): boolean {
  return openFiles().some(({ uri }) => uri.toString() === key);
}

export function openFiles(): readonly (vscode.TextDocument | vscode.NotebookDocument)[] {
  const { textDocuments, notebookDocuments } = vscode.workspace;
  return [...textDocuments, ...notebookDocuments];
}
