// The person's way through Coterie, as one story: its steps build on each other.
import assert from 'node:assert/strict';
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { digestOf } from '../bridges/real-tree.ts';
import { type Person, pictureFailure } from './driver/person.ts';
import { Cast } from './story/cast.ts';
import {
  allInSync,
  COPY_PATIENCE_MS,
  amountsOf,
  editorShows,
  exportFolder,
  heard,
  invite,
  openChat,
  openFile,
  paste,
  safetyNumberIn,
  saveTab,
  say,
  sentenceOf,
  showTree,
  typeAtStart,
} from './story/coterie.ts';
import { makeRealFolder, PROGRAM } from './story/real-folder.ts';
import { keepFigures, saveToTab } from './story/tab-latency.ts';

const PROJECT = 'project';
const SAVES_MEASURED = 15;

describe('Two people', () => {
  let cast: Cast;
  let alice: Person;
  let bob: Person;

  before(async () => {
    cast = await Cast.gather('Alice', 'Bob');
    [alice, bob] = cast.people as [Person, Person];
  });
  afterEach(async function () {
    await pictureFailure(this.currentTest, [alice, bob]);
  });
  after(() => cast?.leave());

  it('1 Alice creates a workspace from the welcome view', async () => {
    const { window } = alice;
    await window.showSideBar('Coterie');
    await window.welcome.first().waitFor();
    await alice.shot('01-welcome-dark');
    await window.welcomeButton('Create a Workspace');
    await window.inputBox.waitFor();
    await alice.shot('01-create');
    await window.answer('Apollo');
    for (const row of ['Apollo', 'Files', 'Chat', 'Members']) await window.treeRow(row).waitFor();
    await window.expand('Members');
    await window.treeRow(/Alice.*you/).waitFor();
    await alice.shot('01-apollo');
  });

  it('2 a cut-off invitation and a wrong relay are told in a sentence', async () => {
    const { window } = bob;
    await alice.window.command('Coterie: Show Relay Status');
    await alice.window.toast('Connected to the relay').waitFor();
    const link = await invite(alice.window, 'ask me');
    await paste(window, link.slice(0, link.length - 20));
    assert.match(await sentenceOf(window.toast('invitation')), /not a whole invitation.*Nothing was changed/);
    await bob.shot('02-truncated');
    await window.clearToasts();

    await window.command('Coterie: Set Relay…');
    await window.answer('coterie-relay://127.0.0.1');
    assert.match(await sentenceOf(window.toast('relay')), /not a valid one/);
    await bob.shot('02-wrong-relay');
    await window.clearToasts();
    await window.command('Coterie: Set Relay…');
    await window.answer(cast.relay.address);
    await window.command('Coterie: Show Relay Status');
    await window.toast('Connected to the relay').waitFor();
    await window.clearToasts();
    await alice.window.clearToasts();
  });

  it('2 Bob joins by the invitation, and Alice confirms', async () => {
    const link = await invite(alice.window, 'ask me');
    await alice.shot('02-invited');
    await alice.window.clearToasts();
    await paste(bob.window, link);
    const { dialog } = bob.window;
    await dialog.waitFor();
    assert.match(await dialog.innerText(), /Alice invites you to Apollo/);
    const number = await safetyNumberIn(dialog);
    await bob.shot('02-accept');
    await bob.window.dialogButton('Accept');

    const request = alice.window.toast('Bob asks to join Apollo as participant');
    await request.waitFor();
    assert.equal(await safetyNumberIn(request), number);
    await bob.window.treeRow('waiting for confirmation').waitFor();
    await alice.shot('02-request');
    await bob.shot('02-waiting');
    await bob.window.toast('Joining Apollo').waitFor({ state: 'hidden' });
    await alice.window.toastButton('Bob asks to join', 'Accept');
    await Promise.all([
      alice.window.toast('Bob joined Apollo').waitFor(),
      bob.window.toast('You are now a member of Apollo').waitFor(),
    ]);
    for (const row of ['Apollo', 'Files', 'Chat', 'Members']) await bob.window.treeRow(row).waitFor();
    await bob.shot('02-joined');
    for (const { window } of [alice, bob]) await window.clearToasts();
  });

  it('3 a real folder that Alice adds is the same at Bob’s, byte for byte', async () => {
    const project = await makeRealFolder(alice.folder, PROJECT);
    const expected = await digestOf(project);
    const files = [...expected.values()].filter((digest) => digest !== 'folder').length;
    await alice.window.rowMenu('Files', 'Add Files or Folder…');
    await alice.window.chooseFolder(project);
    await bob.window.expand('Files');
    await bob.window.treeRow(PROJECT).waitFor();
    await bob.shot('03-arriving');
    const told = await amountsOf(alice.window, 'added');
    assert.ok(told.startsWith(`${files} files and `), told);
    assert.doesNotMatch(told, /left out/i);
    await alice.shot('03-added');
    await alice.window.clearToasts();
    await allInSync(alice.window);
    await allInSync(bob.window);
    const into = join(bob.folder, 'exported');
    mkdirSync(into);
    const exported = await exportFolder(bob.window, PROJECT, into);
    assert.deepEqual(await digestOf(exported), expected);
    await bob.shot('03-arrived');
  });

  it('4 what Alice saves, Bob’s clean tab shows by itself', async () => {
    for (const { window } of [alice, bob]) await openFile(window, PROJECT, PROGRAM);
    const latencies_ms: number[] = [];
    for (let i = 1; i <= SAVES_MEASURED; i++) {
      latencies_ms.push(await saveToTab(alice.window, bob.window, `edit${i}`));
    }
    keepFigures(latencies_ms);
    await bob.window.tab(PROGRAM, ':not(.dirty)').waitFor();
    await bob.shot('04-clean-tab');
  });

  it('4 a dirty tab is not overwritten, and both versions are kept', async () => {
    for (const { window } of [alice, bob]) await openFile(window, PROJECT, 'both.txt');
    await typeAtStart(bob.window, 'Bob writes. ');
    await bob.window.tab('both.txt', '.dirty').waitFor();
    await typeAtStart(alice.window, 'Alice writes. ');
    await saveTab(alice.window, 'both.txt');
    const told = bob.window.toast('both.txt was changed by Alice');
    await told.waitFor();
    await bob.shot('04-dirty-tab');
    assert.match(await sentenceOf(told), /Your text is kept/);
    assert.match(await bob.window.editorText(), /^Bob writes\. What both/);
    await bob.window.clearToasts();
    await bob.window.save();
    await bob.window.toast('content of the file is newer').waitFor();
    await bob.shot('04-dirty-saved');
    await bob.window.toastButton('content of the file is newer', 'Overwrite');
    for (const { window } of [alice, bob]) await window.treeRow(/^both .*conflict/).waitFor();
    // What stands under the name is one of the two; the other is beside it.
    await editorShows(bob.window, 'Alice writes.');
    await bob.shot('04-conflict');
    await bob.window.treeRow(/^both .*conflict/).click();
    await editorShows(bob.window, 'Bob writes.');
  });

  it('5 chat is at the other side at once, counted while unread, and done by keyboard alone', async () => {
    for (const { window } of [alice, bob]) {
      await window.clearToasts();
      await window.closeEditors();
      await window.command('Coterie: Mark All as Read');
    }
    await bob.window.activityBadge('Coterie').waitFor({ state: 'hidden' });
    await openChat(alice.window);
    await say(alice.window, 'Hello Bob, the folder is there.');
    await bob.window.activityBadge('Coterie').filter({ hasText: /^1$/ }).waitFor();
    await showTree(bob.window);
    await bob.shot('05-unread');
    await openChat(bob.window);
    await heard(bob.window, 'Hello Bob');
    await bob.window.activityBadge('Coterie').waitFor({ state: 'hidden' });
    await say(bob.window, 'Thanks, I *see* it: `program.c` too.', 'Thanks, I see it: program.c too.');
    await heard(alice.window, 'program.c');
    // Up takes up what one has said last.
    await alice.window.page.keyboard.press('ArrowUp');
    await alice.window.page.keyboard.press('End');
    await say(alice.window, ' All of it.');
    await heard(bob.window, 'Hello Bob, the folder is there. All of it.');
    await alice.window.panel().locator('.post', { hasText: 'edited' }).waitFor();
  });

  it('every theme shows it', async () => {
    await openFile(bob.window, PROJECT, 'notes.txt');
    for (const theme of ['light', 'high-contrast', 'dark'] as const) {
      for (const person of [alice, bob]) {
        await person.theme(theme);
        await showTree(person.window);
      }
      await alice.shot(`05-chat-${theme}`);
      await bob.shot(`05-overview-${theme}`);
    }
  });

  it('6 nobody at home: Bob has from the relay what Alice did while he was away', async () => {
    await bob.stop();
    await openFile(alice.window, PROJECT, 'notes.txt');
    await typeAtStart(alice.window, 'While Bob was away. ');
    await saveTab(alice.window, 'notes.txt');
    await openChat(alice.window);
    await say(alice.window, 'See you tomorrow');
    await alice.stop();

    await bob.start();
    await showTree(bob.window);
    // The chat, and the file where its tab is not before his eyes already.
    await bob.window
      .activityBadge('Coterie')
      .filter({ hasText: /^[12]$/ })
      .waitFor();
    await bob.shot('06-bob-alone');
    await openFile(bob.window, PROJECT, 'notes.txt');
    await editorShows(bob.window, 'While Bob was away.');
    await openChat(bob.window);
    await heard(bob.window, 'See you tomorrow');
  });

  it('6 and the reverse', async () => {
    await say(bob.window, 'You were gone when I came');
    await openFile(bob.window, PROJECT, 'notes.txt');
    await typeAtStart(bob.window, 'While Alice was away. ');
    await saveTab(bob.window, 'notes.txt');
    await bob.stop();

    await alice.start();
    await openFile(alice.window, PROJECT, 'notes.txt');
    await editorShows(alice.window, 'While Alice was away. While Bob was away.');
    await openChat(alice.window);
    await heard(alice.window, 'You were gone when I came');
    await alice.shot('06-alice-alone');
  });

  it('6 with the relay gone, two who are online go on directly', async () => {
    await bob.start();
    await openChat(bob.window);
    await cast.relay.kill();
    await bob.window.command('Coterie: Show Relay Status');
    const told = bob.window.toast('relay');
    assert.match(await sentenceOf(told), /relay/);
    await bob.shot('06-relay-gone');
    await bob.window.clearToasts();
    // The palette had the keyboard: the command gives it to the chat again.
    for (const { window } of [alice, bob]) await openChat(window);
    await say(alice.window, 'The relay is gone');
    await heard(bob.window, 'The relay is gone');
    await say(bob.window, 'and we are not');
    await heard(alice.window, 'and we are not');
    for (const { window } of [alice, bob]) await openFile(window, PROJECT, 'notes.txt');
    await typeAtStart(bob.window, 'Directly. ');
    await saveTab(bob.window, 'notes.txt');
    await editorShows(alice.window, 'Directly.');
    await bob.shot('06-no-relay');
  });

  it('7 after a power cut all is there, before any network', async () => {
    await openChat(alice.window);
    await say(alice.window, 'Said just before the power cut');
    await Promise.all([alice.kill(), bob.stop()]);
    await alice.start();
    await openFile(alice.window, PROJECT, 'notes.txt');
    await editorShows(alice.window, 'Directly. While Alice was away.');
    await openChat(alice.window);
    await heard(alice.window, 'Hello Bob, the folder is there. All of it.');
    await heard(alice.window, 'Said just before the power cut');
    await alice.shot('07-alice-restarted');
  });

  it('7 a second window of Alice’s works through the first', async () => {
    await bob.start();
    await openChat(bob.window);
    await heard(bob.window, 'Said just before the power cut');
    const second = await alice.openWindow();
    await openChat(second);
    await heard(second, 'Said just before the power cut');
    await say(second, 'From my second window');
    await heard(alice.window, 'From my second window');
    await heard(bob.window, 'From my second window');
    await alice.shot('07-second-window', second);
    await second.page.close();
    await openChat(bob.window);
    await say(bob.window, 'And to the first');
    await heard(alice.window, 'And to the first');
  });

  it('2 a link joins at once where no confirmation was asked for', async () => {
    await cast.relay.start();
    const { window } = alice;
    await window.command('Coterie: Create a Workspace…');
    await window.answer('Gemini');
    await window.treeRow('Gemini').waitFor();
    const link = await invite(window, 'at once', 'Gemini');
    await bob.window.clearToasts();
    await bob.window.openLink(link);
    await bob.window.dialog.waitFor();
    assert.match(await bob.window.dialog.innerText(), /Alice invites you to Gemini/);
    await bob.shot('08-link');
    await bob.window.dialogButton('Accept');
    await Promise.all([
      window.toast('Bob joined Gemini').waitFor(),
      bob.window.toast('You are now a member of Gemini').waitFor(),
    ]);
    await bob.window.treeRow('Gemini').waitFor();
    await bob.shot('08-two-workspaces');
  });

  it('K2 who is removed is told by whom, and his copy is gone', async () => {
    const { window } = alice;
    await window.clearToasts();
    await bob.window.clearToasts();
    await window.command('Coterie: Remove Member…');
    await window.choose('Gemini');
    await window.dialog.waitFor();
    assert.match(await window.dialog.innerText(), /Remove Bob from Gemini\?/);
    await alice.shot('09-remove');
    await window.dialogButton('Remove');
    const told = bob.window.toast('removed you from Gemini');
    await told.waitFor();
    assert.match(await sentenceOf(told), /^Alice has removed you from Gemini\./);
    await bob.window.treeRow(/^Gemini.*Alice has removed you/).waitFor();
    await bob.shot('09-removed');
    await bob.window.rowMenu(/^Gemini.*Alice has removed you/, 'Remove from List…');
    await bob.window.treeRow('Gemini').waitFor({ state: 'detached' });
    await bob.window.treeRow('Apollo').waitFor();
  });

  it('A5 Alice lets participants delete any file, and Bob sees that it was her', async () => {
    for (const { window } of [alice, bob]) await window.clearToasts();
    await alice.window.rowMenu('Apollo', 'Permissions…');
    await alice.window.choose(/^All Files Tools/);
    await alice.shot('10-permissions-dark');
    await alice.window.choose(/^Participants/);
    await alice.window.choice('delete any file').waitFor();
    await alice.shot('10-participants-dark');
    await alice.window.chooseAll(['delete any file']);
    const told = bob.window.toast('Alice has changed what participants and guests may do');
    await told.waitFor();
    await sentenceOf(told);
    await alice.window.choice(/^All Files Tools.*1 changed/).waitFor();
    await alice.window.closeInput();
    await bob.window.clearToasts();
    await bob.theme('light');
    await bob.window.rowMenu('Apollo', 'Permissions…');
    await bob.window.choose(/^All Files Tools/);
    await bob.window.choose(/^Participants/);
    await bob.window.choice(/delete any file.*allowed.*set by Alice/s).waitFor();
    await bob.shot('10-to-look-at-light');
    await bob.window.escape();
    // Back at what there is to look at.
    await bob.window.choice(/^All Files Tools.*1 changed/).waitFor();
    await bob.window.closeInput();
  });

  it('A7 Bob cannot remove Alice, continues in a new workspace, and she comes along', async () => {
    const { window } = bob;
    await alice.window.command('Coterie: Change Role…');
    await alice.window.choose('Apollo');
    await alice.window.choose(/^manager/);
    await window.expand('Members');
    await bob.window.treeRow(/Bob.*you.*manager/).waitFor();
    await window.rowMenu(/^Alice/, 'Remove Member…');
    await window.dialogButton('Remove');
    const senior = window.toast('Alice stands above you here');
    await senior.waitFor();
    await bob.shot('11-senior-light');
    await window.toastButton('Alice stands above you here', 'Continue in a New Workspace…');
    await window.answer('Apollo (continued)');
    await window.choice('Alice').waitFor();
    await bob.shot('11-who-light');
    await window.chooseAll(['Alice']);
    await window.dialog.waitFor();
    assert.match(await window.dialog.innerText(), /Continue Apollo as Apollo \(continued\)\?/);
    await bob.shot('11-confirm-light');
    await window.dialogButton('Continue');
    // Not before all of it is there.
    const asked = alice.window.toast('Bob continues Apollo in a new workspace, Apollo (continued)');
    await asked.waitFor({ timeout: COPY_PATIENCE_MS });
    await alice.window.treeRow(/^Apollo \(continued\).*Bob asks you along/).waitFor();
    await alice.shot('11-asked-dark');
    await window.toast('Apollo goes on in Apollo (continued)').waitFor({ timeout: COPY_PATIENCE_MS });
    await bob.shot('11-done-light');
    await alice.window.toastButton('Bob continues Apollo', 'Accept');
    await alice.window.toast('You are now a member of Apollo (continued)').waitFor({ timeout: COPY_PATIENCE_MS });
    await window.clearToasts();
    await window.closeEditors();
    await window.command('Coterie: Open Chat');
    await window.choose(/Apollo \(continued\)/);
    await window.panel().locator('.post.carried', { hasText: 'Hello Bob' }).waitFor();
    await bob.shot('11-carried-light');
    await bob.theme('dark');
    await bob.shot('11-carried-dark');
    await alice.window.treeRow(/^Apollo \(continued\)/).waitFor();
  });

  it('nothing left VS Code for elsewhere', () => {
    for (const person of [alice, bob]) assert.deepEqual(person.strayRequests, []);
  });
});
