// I2 as a person meets it: a second machine of one's own by a link code, its name, its end, and the way back from paper on a third.
import assert from 'node:assert/strict';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Locator } from 'playwright-core';
import { type Person, pictureFailure } from './driver/person.ts';
import type { Workbench } from './driver/workbench.ts';
import { Cast } from './story/cast.ts';
import { editorShows, openFile, saveTab, sentenceOf, showTree, typeAtStart } from './story/coterie.ts';

const FOLDER = 'team';

describe('Two devices', () => {
  let cast: Cast;
  let laptop: Person;
  let desktop: Person;

  before(async () => {
    cast = await Cast.gather('Laptop', 'Desktop');
    [laptop, desktop] = cast.people as [Person, Person];
    laptop.server.changeSettings({ 'coterie.deviceName': 'Laptop', 'coterie.displayName': 'Alice' });
    desktop.server.changeSettings({ 'coterie.deviceName': 'Desktop', 'coterie.displayName': 'Alice' });
  });
  afterEach(async function () {
    await pictureFailure(this.currentTest, cast?.people ?? []);
  });
  after(() => cast?.leave());

  it('I2 a link code makes another machine a device, once its person has compared the numbers', async () => {
    const [here, there] = [laptop.window, desktop.window];
    await here.showSideBar('Coterie');
    await here.welcomeButton('Create a Workspace');
    await here.answer('Apollo');
    await here.treeRow('Apollo').waitFor();
    await here.command('Coterie: Add Files or Folder…');
    await here.chooseFolder(folderOf(laptop));
    await here.toast('1 file and 1 folder added').waitFor();
    await here.clearToasts();

    const code = await newLinkCode(here);
    await laptop.shot('11-link-code');
    await there.command('Coterie: Link This Device…');
    await there.answer(code.slice(0, -9));
    assert.match(await sentenceOf(there.toast('not a whole link code')), /Nothing was changed\. Copy it again/);
    await there.clearToasts();
    await there.command('Coterie: Link This Device…');
    await there.answer(code);
    const linking = there.toast('Linking this device');
    await linking.waitFor();
    // Behind it, nothing is offered that would stand in the way.
    await there.welcome.getByText('This machine is becoming one of your devices').waitFor();
    assert.equal(await there.welcome.locator('.monaco-button').count(), 0);
    await here.dialog.waitFor();
    assert.match(await here.dialog.innerText(), /Desktop wants to become one of your devices/);
    assert.equal(await numberIn(here.dialog), await numberIn(linking));
    await laptop.shot('11-compare');
    await desktop.shot('11-linking');
    await here.dialogButton('The Numbers Are the Same');
    await Promise.all([
      there.toast('This machine is one of your devices now').waitFor(),
      there.toast('Apollo is on this machine now').waitFor(),
      here.toast('Desktop is one of your devices now').waitFor(),
    ]);
  });

  it('I2 the workspaces come to it, and both write as one person', async () => {
    const [here, there] = [laptop.window, desktop.window];
    await openFile(there, FOLDER, 'notes.txt');
    await editorShows(there, 'Notes.');
    await desktop.shot('11-linked');
    await typeAtStart(there, 'At the desk. ');
    await saveTab(there, 'notes.txt');
    await openFile(here, FOLDER, 'notes.txt');
    await editorShows(here, 'At the desk. Notes.');
    for (const window of [here, there]) {
      await window.expand('Members');
      await window.treeRow(/Alice.*you/).waitFor();
      assert.equal((await window.treeTexts()).filter((text) => text.includes('Alice')).length, 1);
      await window.clearToasts();
    }
  });

  it('I2 the list names the devices, and any can be renamed', async () => {
    const { window } = laptop;
    await window.command('Coterie: Show My Devices…');
    await window.choice(/Desktop.*online/).waitFor();
    await laptop.shot('11-devices-dark');
    await window.choose('Desktop');
    await window.choose('Rename…');
    await window.answer('The big one');
    await desktop.window.command('Coterie: Show My Devices…');
    await desktop.window.choice(/The big one.*this machine/).waitFor();
    await desktop.window.escape();
    await laptop.theme('light');
    await window.command('Coterie: Show My Devices…');
    await window.choice('The big one').waitFor();
    await laptop.shot('11-devices-light');
    await window.escape();
  });

  it('I2 a device that is taken out says so, and its copy is gone', async () => {
    const [here, there] = [laptop.window, desktop.window];
    await here.command('Coterie: Show My Devices…');
    await here.choose('The big one');
    await here.choose('Take It Out of My Workspaces…');
    await here.dialog.waitFor();
    assert.match(await here.dialog.innerText(), /Take The big one out of all your workspaces\?/);
    await laptop.shot('11-take-out');
    await here.dialogButton('Take It Out');
    await here.toast('The big one is taken out').waitFor();
    const told = there.toast('has taken this one out of Apollo');
    await told.waitFor();
    assert.match(await sentenceOf(told), /The copy here was erased/);
    await there.treeRow(/^Apollo.*taken out by another of your devices/).waitFor();
    // Nor does it stay before the eyes.
    await there.tab('notes.txt').waitFor({ state: 'detached' });
    await desktop.shot('11-taken-out');
    await here.command('Coterie: Show My Devices…');
    await here.choice('Laptop').waitFor();
    assert.equal(await here.choice('The big one').count(), 0);
    await here.escape();
    await typeAtStart(here, 'Alone again. ');
    await saveTab(here, 'notes.txt');
    await showTree(here);
    await here.clearToasts();
    await desktop.stop();
  });

  it('I2 the words on paper bring the account to a fresh machine, and a link code its workspaces', async () => {
    const here = laptop.window;
    const words = await writtenDown(here);
    const tablet = await cast.arrive('Tablet', { 'coterie.deviceName': 'Tablet', 'coterie.displayName': 'Alice' });
    const there = tablet.window;
    await there.showSideBar('Coterie');
    await there.welcome.getByText('Restore your account').click();
    // Four letters of each are enough.
    await there.answer(words.map((word) => word.slice(0, 4)).join(' '));
    const told = there.toast('Your account is on this machine');
    await told.waitFor();
    assert.match(await sentenceOf(told), /link it with another of your devices/);
    await tablet.shot('11-restored');
    await there.clearToasts();

    const code = await newLinkCode(here);
    await there.command('Coterie: Link This Device…');
    await there.answer(code);
    await here.dialog.waitFor();
    assert.match(await here.dialog.innerText(), /Tablet wants to become one of your devices/);
    await here.dialogButton('The Numbers Are the Same');
    await there.toast('Apollo is on this machine now').waitFor();
    await openFile(there, FOLDER, 'notes.txt');
    await editorShows(there, 'Alone again. At the desk. Notes.');
    await here.command('Coterie: Show My Devices…');
    await here.choice(/Tablet.*online/).waitFor();
    await here.escape();
    await there.command('Coterie: Show My Devices…');
    await there.choice(/Tablet.*this machine/).waitFor();
    await there.choice('Laptop').waitFor();
    await tablet.shot('11-restored-devices');
    await there.escape();
  });
});

async function newLinkCode(window: Workbench): Promise<string> {
  await window.command('Coterie: Add Another Device…');
  await window.toast('The link code is on the clipboard').waitFor();
  return window.clipboard();
}

/** The words of the recovery phrase, read from the screen, and compared as the person is asked to. */
async function writtenDown(window: Workbench): Promise<readonly string[]> {
  await window.command('Coterie: Show Recovery Phrase…');
  await window.dialogButton('Show the Words');
  await window.dialog.getByText('Your recovery phrase').waitFor();
  const words = [...(await window.dialog.innerText()).matchAll(/\d+\. (\w+)/g)].map((match) => match[1]!);
  assert.equal(words.length, 24);
  await window.dialogButton('I Wrote Them Down');
  const places = new Set<number>();
  while (places.size < 3) {
    const place = Number(/Word (\d+)/.exec(await window.inputMessage.innerText())?.[1]);
    if (Number.isNaN(place) || places.has(place)) continue; // not asked yet, or not for the next
    places.add(place);
    await window.answer(words[place - 1]!);
  }
  await window.toast('The words on your paper are right').waitFor();
  await window.clearToasts();
  return words;
}

function folderOf(person: Person): string {
  const folder = join(person.folder, FOLDER);
  mkdirSync(folder);
  writeFileSync(join(folder, 'notes.txt'), 'Notes.\n');
  return folder;
}

/** What stands on both screens, to be compared. */
async function numberIn(shown: Locator): Promise<string> {
  const text = await shown.innerText();
  const number = /\d[\d ]{6,}\d/.exec(text)?.[0];
  assert.ok(number, `no number in: ${text}`);
  return number;
}
