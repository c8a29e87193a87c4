/** Lists, boxes and questions of commands. */
import type { Scene } from './scene.ts';

export async function lists(scene: Scene): Promise<void> {
  await notAccepted(scene);
  await outOfTheWay(scene);
  await permissions(scene);
  await freshCopy(scene);
}

async function notAccepted(scene: Scene): Promise<void> {
  const { window } = scene;
  await window.command('Coterie: Show What Was Not Accepted…');
  await window.choose(/^Apollo/);
  await scene.list('not-accepted', 'Save All in a Folder');
}

/** L7, D8. */
async function outOfTheWay(scene: Scene): Promise<void> {
  const { window } = scene;
  await window.command('Coterie: Drop Absent Devices…');
  await window.choice('Bob').waitFor();
  await scene.shot('drop');
  await window.chooseAll(['Bob', 'Frank']);
  await scene.dialog('drop-confirm');
  await window.command('Coterie: Freeze Device…');
  await window.choice('Carol').waitFor();
  await scene.shot('freeze');
  await window.choose('Carol');
  await scene.dialog('freeze-confirm');
}

async function permissions(scene: Scene): Promise<void> {
  const { window } = scene;
  await window.command('Coterie: Permissions…');
  await window.choose(/^Apollo/);
  await window.choice('The Workspace Itself').waitFor();
  await scene.shot('permissions');
  await window.choose(/Plans/);
  await window.choice('Participants').waitFor();
  await scene.shot('permissions-tool');
  await window.choose('Participants');
  await window.choice('delete any file').waitFor();
  await scene.shot('permissions-tool-participants');
  await window.escape();
  await window.choice('The Workspace Itself').waitFor();
  await window.choose(/^All Files Tools/);
  await window.choice('Participants').waitFor();
  await scene.shot('permissions-kind');
  await window.escape();
  await window.choice('The Workspace Itself').waitFor();
  await window.escape();
  await window.rowMenu('Gemini', 'Permissions…');
  await window.choose(/^All Chats/);
  await window.choose('Participants');
  await window.choice('write messages').waitFor();
  await scene.shot('permissions-to-look-at');
  await window.escape();
  await window.choice('The Workspace Itself').waitFor();
  await window.closeInput();
}

/** L6: the row of a copy in doubt has the command; the row says so while it is under way. */
async function freshCopy(scene: Scene): Promise<void> {
  const { window, made } = scene;
  await window.rowMenu('Gemini', 'Fetch a Fresh Copy of a Workspace…');
  await window.dialog.waitFor();
  await scene.shot('fresh-copy-confirm');
  await window.dialogButton('Fetch');
  await window.toasts.first().waitFor();
  const before = made.copies['Gemini']!;
  made.copies['Gemini'] = { ...before, renewing: true };
  made.changed();
  await window.treeRow(/fetching a fresh copy/).waitFor();
  await scene.shot('fresh-copy-asked');
  await scene.clear();
  made.copies['Gemini'] = before;
  made.changed();
}

/** What is asked before something goes. */
export async function goings(scene: Scene): Promise<void> {
  const { window } = scene;
  await window.expand('Members');
  await window.rowMenu(/^Apollo/, 'Leave Workspace…');
  await scene.dialog('leave-confirm');
  await window.rowMenu(/^Apollo/, 'Delete Workspace…');
  await scene.dialog('delete-confirm');
  await window.rowMenu(/^Bob/, 'Remove Member…');
  await scene.dialog('remove-confirm');
  await window.rowMenu(/^Bob/, 'Change Role…');
  await scene.list('role', 'guest');
  await window.rowMenu(/^Chat/, 'Delete Tool…');
  await scene.dialog('delete-tool-confirm');
  await window.command('Coterie: Remove from List…');
  await window.choose('Salyut');
  await scene.dialog('forget-confirm');
  await window.command('Coterie: Save Unsent Work…');
  await scene.list('save-work', 'Salyut');
  await window.rowMenu(/^Apollo/, 'Continue in a New Workspace…');
  await window.answer('Apollo (continued)');
  await window.choice('Carol').waitFor();
  await scene.shot('continue-members');
  await window.chooseAll([]);
  await scene.dialog('continue-confirm');
}
