/** `vscode://coterie.coterie/join#…` and `…/link#…`: only ever the beginning of a question, never an act. */
import * as vscode from 'vscode';
import { invitationOfLink, linkCodeOfLink } from './invitation-text.ts';
import { notify } from './notify.ts';

export const linkHandler: vscode.UriHandler = {
  handleUri(uri) {
    const code = linkCodeOfLink(uri);
    if (code !== undefined) return vscode.commands.executeCommand('coterie.linkDevice', code).then(() => undefined);
    const invitation = invitationOfLink(uri);
    if (invitation !== undefined)
      return vscode.commands.executeCommand('coterie.acceptInvitation', invitation).then(() => undefined);
    void notify(
      'warning',
      vscode.l10n.t(
        'This link is not a whole invitation: a program on the way may have cut it. Nothing was changed. Copy the link and use “Coterie: Accept Invitation…”.',
      ),
    );
    return undefined;
  },
};
