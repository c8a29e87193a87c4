/** Every command of package.json, and what it runs. A test compares the two lists. */
import * as vscode from 'vscode';
import { type Disposable, DisposableStore } from '../../base/disposable.ts';
import type { ChatPanels } from '../chat-panels.ts';
import type { House } from '../house.ts';
import type { Joins } from '../joins.ts';
import * as absent from './absent.ts';
import * as continuing from './continuing.ts';
import * as devices from './devices.ts';
import * as files from './files.ts';
import * as invitations from './invitations.ts';
import * as members from './members.ts';
import * as notAccepted from './not-accepted.ts';
import * as permissions from './permissions.ts';
import * as people from './people.ts';
import * as recovery from './recovery.ts';
import * as transfers from './transfers.ts';
import * as workspaces from './workspaces.ts';

export interface CommandParts {
  readonly house: House;
  readonly joins: Joins;
  readonly chats: ChatPanels;
  readonly selected: files.Selected;
}

export function registerCommands({ house, joins, chats, selected }: CommandParts): Disposable {
  // Whatever runs a command may hand it things, a link that a stranger wrote too: what stands for the person's answer counts in tests alone.
  const isTest = house.context.extensionMode === vscode.ExtensionMode.Test;
  const answer = (given: unknown): unknown => (isTest ? given : undefined);
  const commands: Readonly<Record<string, (...args: readonly unknown[]) => unknown>> = {
    createWorkspace: (name) => workspaces.createWorkspace(house, answer(name)),
    acceptInvitation: (invitation) => invitations.acceptInvitation(house, joins, invitation),
    invite: (on, options) => invitations.invite(house, on, answer(options)),
    revokeInvitation: (on) => invitations.revokeInvitation(house, on),
    answerJoinRequests: (on) => invitations.answerJoinRequests(house, on),
    cancelJoin: (on) => invitations.cancelJoin(house, on),
    addFiles: (on, paths) => transfers.addFiles(house, on, answer(paths)),
    addToWorkspace: (on, selection) => transfers.addToWorkspace(house, on, selection),
    exportItem: (on, folder) => transfers.exportItem(house, on, answer(folder)),
    openChat: (on) => chats.openChat(on),
    newFile: (on, name) => files.newFile(house, on, answer(name)),
    newFolder: (on, name) => files.newFolder(house, on, answer(name)),
    renameItem: (on) => files.renameItem(house, selected, on),
    deleteItem: (on) => files.deleteItem(house, selected, on),
    copyPath: (on) => files.copyPath(selected, on),
    openAsFolder: (on) => files.openAsFolder(house, on),
    markAllRead: (on) => workspaces.markAllRead(house, on),
    renameWorkspace: (on) => workspaces.renameWorkspace(house, on),
    renewCopy: (on) => workspaces.renewCopy(house, on),
    addTool: (on) => workspaces.addTool(house, on),
    renameTool: (on) => workspaces.renameTool(house, on),
    deleteTool: (on) => workspaces.deleteTool(house, on),
    changeRole: (on) => members.changeRole(house, on),
    removeMember: (on) => members.removeMember(house, on),
    permissions: (on) => permissions.permissions(house, on),
    leaveWorkspace: (on) => members.leaveWorkspace(house, on),
    deleteWorkspace: (on) => members.deleteWorkspace(house, on),
    dropDevices: (on, chosen) => absent.dropDevices(house, on, answer(chosen)),
    freezeDevice: (on, device) => absent.freezeDevice(house, on, device),
    fetchAgain: (on) => absent.fetchAgain(house, on),
    putBack: (on) => absent.putBack(house, on),
    continueWorkspace: (on, given) => continuing.continueWorkspace(house, on, answer(given)),
    answerOffer: (on) => continuing.answerOffer(house, on),
    showNotAccepted: (on) => notAccepted.showNotAccepted(house, on),
    saveWork: (on, folder) => members.saveWork(house, on, answer(folder)),
    forgetWorkspace: (on) => members.forgetWorkspace(house, on),
    showSafetyNumber: (on) => people.showSafetyNumber(house, on),
    verifyMember: (on) => people.verifyMember(house, on),
    showRecoveryPhrase: () => recovery.showRecoveryPhrase(house),
    restoreAccount: () => recovery.restoreAccount(house),
    addDevice: () => devices.addDevice(house),
    linkDevice: (code) => devices.linkDevice(house, code),
    showDevices: () => devices.showDevices(house),
    showRelay: () => people.showRelay(house),
    setRelay: (address) => people.askRelay(house, answer(address)),
    start: () => house.session.open(),
    showLog: () => house.say.log.show(),
  };
  const held = new DisposableStore();
  for (const [name, run] of Object.entries(commands)) {
    held.add(vscode.commands.registerCommand(`coterie.${name}`, run));
  }
  return held;
}
