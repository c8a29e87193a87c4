/** Numbers of things in words: one has another word than several. */
import * as vscode from 'vscode';

const { t } = vscode.l10n;

export const counts = {
  files: (count: number): string => (count === 1 ? t('1 file') : t('{0} files', count)),
  folders: (count: number): string => (count === 1 ? t('1 folder') : t('{0} folders', count)),
  messages: (count: number): string => (count === 1 ? t('1 message') : t('{0} messages', count)),
  devices: (count: number): string => (count === 1 ? t('1 device') : t('{0} devices', count)),
  members: (count: number): string => (count === 1 ? t('1 member') : t('{0} members', count)),
  /** Folders made, things moved and deleted. */
  deeds: (count: number): string =>
    count === 1 ? t('1 change (folder, move or deletion)') : t('{0} changes (folders, moves, deletions)', count),
};
