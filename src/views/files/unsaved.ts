/** Whether a file's tab has text that is not saved, or its notebook. */
import * as vscode from 'vscode';

export function isUnsaved(key: string): boolean {
  const { textDocuments, notebookDocuments } = vscode.workspace;
  return [...textDocuments, ...notebookDocuments].some(({ isDirty, uri }) => isDirty && uri.toString() === key);
}
