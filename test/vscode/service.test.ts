import assert from 'node:assert/strict';
import { mkdtemp, mkdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import * as vscode from 'vscode';
import type { ImportReport } from '../../src/service/api.ts';
import { parseSecrets, SECRET_KEY } from '../../src/views/secrets.ts';
import { bytes, closeTabs, door, makeWorld, next, text, type World } from './world.ts';

describe('commands on the real service', () => {
  let world: World;
  let folder: string;

  before(async () => {
    world = await makeWorld('Commands');
    folder = await mkdtemp(join(tmpdir(), 'cot-commands-'));
  });
  after(async () => {
    await closeTabs();
    await rm(folder, { recursive: true });
  });

  it('I2: the device’s secrets are in the secret storage', async () => {
    const { context } = (await door()).window.house;
    const secrets = parseSecrets(await context.secrets.get(SECRET_KEY));
    assert.ok(secrets, 'four whole secrets');
    assert.equal(new Set(Object.values(secrets)).size, 4);
  });

  it('a local folder is added and exported, byte for byte', async () => {
    const source = join(folder, 'project');
    await mkdir(join(source, 'deep', 'er'), { recursive: true });
    await writeFile(join(source, 'a.txt'), 'a');
    await writeFile(
      join(source, 'deep', 'er', 'ü.bin'),
      Uint8Array.from({ length: 70_000 }, (_, i) => i & 255),
    );
    const report = await vscode.commands.executeCommand<ImportReport>('coterie.addFiles', world.uri('/'), [source]);
    assert.equal(report.files, 2);
    assert.deepEqual(report.skipped, []);
    assert.equal(text(await vscode.workspace.fs.readFile(world.uri('/project/a.txt'))), 'a');
    const out = join(folder, 'out');
    await mkdir(out);
    await vscode.commands.executeCommand('coterie.exportItem', world.uri('/project'), out);
    const [before, after] = await Promise.all(
      [source, join(out, 'project')].map((one) => readFile(join(one, 'deep/er/ü.bin'))),
    );
    assert.equal(Buffer.compare(before!, after!), 0);
  });

  it('an invitation is a link on the clipboard that this member has no need of', async () => {
    const options = { role: 'participant', confirm: false, expiresInMs: 60_000 };
    const link = await vscode.commands.executeCommand<string>('coterie.invite', world.workspace, options);
    assert.match(link, new RegExp(`^${vscode.env.uriScheme}://coterie\\.coterie/join#[\\w-]+$`));
    const info = await world.api.readInvitation(link);
    assert.equal(info.workspaceName, 'Commands');
    assert.equal(info.alreadyMember, true);
  });

  it('a damaged invitation is refused with its code', async () => {
    await assert.rejects(world.api.readInvitation('vscode://coterie.coterie/join#abc'), { code: 'badInvitation' });
  });

  it('a chat opens in a tab, and is open once', async () => {
    const chats = () =>
      vscode.window.tabGroups.all
        .flatMap((group) => group.tabs)
        .filter(({ input, label }) => input instanceof vscode.TabInputWebview && label.endsWith('Commands'));
    const opened = next(vscode.window.tabGroups.onDidChangeTabs, () => chats().length > 0);
    await vscode.commands.executeCommand('coterie.openChat', world.chat.id);
    await opened;
    await vscode.commands.executeCommand('coterie.openChat', world.chat.id);
    assert.equal(chats().length, 1);
  });

  it('a new file opens, and its empty content is shared', async () => {
    await vscode.commands.executeCommand('coterie.newFile', world.uri('/'), 'fresh.md');
    assert.equal(vscode.window.activeTextEditor?.document.uri.path, '/fresh.md');
    assert.equal((await world.api.stat(world.workspace, world.files.id, '/fresh.md')).bytes, 0);
  });

  it('a change of settings reaches the service', async () => {
    const settings = vscode.workspace.getConfiguration('coterie');
    for (const name of ['Alicia', 'Alice']) {
      // The window heard of it first, since it listens for longer; so what it tells the service comes before what is asked here.
      const changed = next(vscode.workspace.onDidChangeConfiguration, (event) =>
        event.affectsConfiguration('coterie.displayName'),
      );
      await settings.update('displayName', name, vscode.ConfigurationTarget.Global);
      await changed;
      assert.equal((await world.api.identity()).name, name);
    }
  });

  it('a relay address that is none is refused with its code', async () => {
    const settings = { relay: 'not a relay', name: 'Alice', deviceName: 'x', directPort: 0, lanDiscovery: false };
    await assert.rejects(world.api.configure(settings), { code: 'badRelayAddress' });
  });

  it('what is read is marked so, and the count goes down to nothing', async () => {
    const { house } = (await door()).window;
    await world.api.post(world.workspace, world.chat.id, 'hello');
    await world.api.write(world.workspace, world.files.id, '/mine', bytes('x'), { create: true, overwrite: true });
    await house.list.reload();
    assert.equal(house.list.workspace(world.workspace)?.unread, 0, 'one’s own is never unread');
  });
});
