import assert from 'node:assert/strict';
import * as vscode from 'vscode';
import { uriOf } from '../../src/views/files/uri.ts';
import { bytes, closeTabs, door, makeWorld, next, text, type World } from './world.ts';

const { fs } = vscode.workspace;
const rejects = (work: () => Thenable<unknown>, code: string): Promise<void> =>
  assert.rejects(async () => work(), { code });

describe('the file system of shared files', () => {
  let world: World;

  before(async () => {
    world = await makeWorld('Apollo');
  });

  it('writes, reads and stats a file, empty or not, whatever its name', async () => {
    for (const [path, content] of [
      ['/plain.txt', 'one\n'],
      ['/empty', ''],
      ['/Übung 日本 🎈.md', 'Grüße'],
      ['/#%.txt', 'x'],
    ] as const) {
      await fs.writeFile(world.uri(path), bytes(content));
      assert.equal(text(await fs.readFile(world.uri(path))), content, path);
      const stat = await fs.stat(world.uri(path));
      assert.equal(stat.type, vscode.FileType.File);
      assert.equal(stat.size, bytes(content).length);
      assert.ok(stat.mtime > 0 && stat.ctime > 0);
    }
  });

  it('F4: a name that some system refuses is refused with a word, and nothing is made', async () => {
    for (const path of ['/what?.txt', '/con', '/dot.']) {
      const isSaid = ({ code, message }: vscode.FileSystemError): boolean =>
        code === 'Unavailable' && message.includes(`“${path.slice(1)}” cannot be a name`);
      const made = [
        () => fs.writeFile(world.uri(path), bytes('lost')),
        () => fs.createDirectory(world.uri(path)),
        () => fs.rename(world.uri('/plain.txt'), world.uri(path)),
      ];
      for (const make of made) await assert.rejects(async () => make(), isSaid);
    }
    const names = (await fs.readDirectory(world.uri('/'))).map(([name]) => name);
    assert.deepEqual(
      names.filter((name) => /^(what|con|dot)/i.test(name)),
      [],
    );
    assert.equal(text(await fs.readFile(world.uri('/plain.txt'))), 'one\n');
  });

  it('overwrites, and a stat says that it is newer', async () => {
    await fs.writeFile(world.uri('/over'), bytes('a'));
    const before = await fs.stat(world.uri('/over'));
    await fs.writeFile(world.uri('/over'), bytes('b'));
    const after = await fs.stat(world.uri('/over'));
    assert.ok(after.mtime > before.mtime);
    assert.equal(text(await fs.readFile(world.uri('/over'))), 'b');
  });

  it('makes folders and lists them', async () => {
    await fs.createDirectory(world.uri('/folder'));
    await fs.createDirectory(world.uri('/folder/inner'));
    await fs.writeFile(world.uri('/folder/file'), bytes('x'));
    const entries = await fs.readDirectory(world.uri('/folder'));
    assert.deepEqual(
      entries.sort(([a], [b]) => a.localeCompare(b)),
      [
        ['file', vscode.FileType.File],
        ['inner', vscode.FileType.Directory],
      ],
    );
    assert.equal((await fs.stat(world.uri('/folder'))).type, vscode.FileType.Directory);
    assert.equal((await fs.stat(world.uri('/'))).type, vscode.FileType.Directory);
  });

  it('renames and moves, and overwrites only if told to', async () => {
    await fs.writeFile(world.uri('/from'), bytes('from'));
    await fs.writeFile(world.uri('/there'), bytes('there'));
    await fs.createDirectory(world.uri('/target'));
    await rejects(() => fs.rename(world.uri('/from'), world.uri('/there')), 'FileExists');
    assert.equal(text(await fs.readFile(world.uri('/there'))), 'there');
    await fs.rename(world.uri('/from'), world.uri('/target/to'));
    assert.equal(text(await fs.readFile(world.uri('/target/to'))), 'from');
    await rejects(() => fs.stat(world.uri('/from')), 'FileNotFound');
    await fs.rename(world.uri('/target/to'), world.uri('/there'), { overwrite: true });
    assert.equal(text(await fs.readFile(world.uri('/there'))), 'from');
  });

  it('copies files and folders', async () => {
    await fs.createDirectory(world.uri('/origin'));
    await fs.writeFile(world.uri('/origin/a'), bytes('a'));
    await fs.copy(world.uri('/origin'), world.uri('/copy'));
    await fs.writeFile(world.uri('/copy/a'), bytes('changed'));
    assert.equal(text(await fs.readFile(world.uri('/origin/a'))), 'a');
    assert.equal(text(await fs.readFile(world.uri('/copy/a'))), 'changed');
  });

  it('deletes files, and folders with what is in them', async () => {
    await fs.createDirectory(world.uri('/gone'));
    await fs.writeFile(world.uri('/gone/a'), bytes('a'));
    await assert.rejects(async () => fs.delete(world.uri('/gone')));
    await fs.delete(world.uri('/gone'), { recursive: true });
    await rejects(() => fs.stat(world.uri('/gone')), 'FileNotFound');
    await rejects(() => fs.readFile(world.uri('/gone/a')), 'FileNotFound');
  });

  it('moves between tools', async () => {
    const other = await world.api.addTool(world.workspace, 'files', 'More Files');
    const there = uriOf({ workspace: world.workspace, tool: other, path: '/moved' });
    await fs.createDirectory(world.uri('/mover'));
    await fs.writeFile(world.uri('/mover/a'), bytes('a'));
    await fs.rename(world.uri('/mover'), there);
    assert.equal(text(await fs.readFile(there.with({ path: '/moved/a' }))), 'a');
    await rejects(() => fs.stat(world.uri('/mover')), 'FileNotFound');
  });

  it('says what is wrong by VS Code’s own codes', async () => {
    await fs.writeFile(world.uri('/a-file'), bytes('x'));
    await fs.createDirectory(world.uri('/a-folder'));
    await rejects(() => fs.readFile(world.uri('/nothing')), 'FileNotFound');
    await rejects(() => fs.readDirectory(world.uri('/nothing')), 'FileNotFound');
    await rejects(() => fs.readDirectory(world.uri('/a-file')), 'FileNotADirectory');
    await rejects(() => fs.readFile(world.uri('/a-folder')), 'FileIsADirectory');
    const unknown = world.uri('/a-file').with({ authority: `${world.workspace}.${'00'.repeat(8)}` });
    await rejects(() => fs.stat(unknown), 'FileNotFound');
  });

  it('reads a large file in slices, byte for byte', async () => {
    const large = new Uint8Array(9 * 1024 * 1024 + 17);
    for (let i = 0; i < large.length; i++) large[i] = (i * 2654435761) >>> 24;
    await fs.writeFile(world.uri('/large.bin'), large);
    const read = await fs.readFile(world.uri('/large.bin'));
    assert.equal(Buffer.compare(read, large), 0);
  });

  it('F2: a save over a version that nobody here has read is kept beside it', async () => {
    const uri = world.uri('/both.txt');
    await fs.writeFile(uri, bytes('base\n'));
    await fs.readFile(uri);
    // Another window, or another member: not through this file system.
    await world.api.write(world.workspace, world.files.id, '/both.txt', bytes('theirs\n'), {
      create: false,
      overwrite: true,
    });
    await fs.stat(uri);
    await fs.writeFile(uri, bytes('ours\n'));
    const names = (await fs.readDirectory(world.uri('/')))
      .map(([name]) => name)
      .filter((name) => name.startsWith('both'));
    const contents = await Promise.all(names.map(async (name) => text(await fs.readFile(world.uri(`/${name}`)))));
    assert.deepEqual(contents.sort(), ['ours\n', 'theirs\n']);
  });
});

describe('open tabs of shared files', () => {
  let world: World;

  before(async () => {
    world = await makeWorld('Tabs');
  });
  afterEach(closeTabs);

  const writeAsAnother = (path: string, content: string): Promise<string> =>
    world.api.write(world.workspace, world.files.id, path, bytes(content), { create: false, overwrite: true });

  it('a clean one shows a newer version by itself', async () => {
    await fs.writeFile(world.uri('/clean.txt'), bytes('one\n'));
    const document = await vscode.workspace.openTextDocument(world.uri('/clean.txt'));
    await vscode.window.showTextDocument(document);
    const changed = next(
      vscode.workspace.onDidChangeTextDocument,
      ({ document: one }) => one === document && one.getText() === 'two\n',
    );
    await writeAsAnother('/clean.txt', 'two\n');
    await changed;
    assert.equal(document.isDirty, false);
  });

  it('a dirty one is not overwritten, and is told of the newer version', async () => {
    await fs.writeFile(world.uri('/dirty.txt'), bytes('one\n'));
    const document = await vscode.workspace.openTextDocument(world.uri('/dirty.txt'));
    const editor = await vscode.window.showTextDocument(document);
    await editor.edit((edit) => edit.insert(new vscode.Position(0, 0), 'mine '));
    const { files } = (await door()).window;
    const told = next(files.onDidChangeFile, (changes) =>
      changes.some(({ uri }) => uri.toString() === document.uri.toString()),
    );
    await writeAsAnother('/dirty.txt', 'theirs, and longer\n');
    await told;
    // Whatever VS Code does on a change, it has done when it can answer for the file.
    await fs.stat(document.uri);
    assert.equal(document.getText(), 'mine one\n');
    assert.equal(document.isDirty, true);
  });

  it('F2: a dirty one is upon what it was typed upon, though somebody reads the newer version beside it, as Compare does', async () => {
    await fs.writeFile(world.uri('/compared.txt'), bytes('one\n'));
    const document = await vscode.workspace.openTextDocument(world.uri('/compared.txt'));
    const editor = await vscode.window.showTextDocument(document);
    await editor.edit((edit) => edit.insert(new vscode.Position(0, 0), 'mine '));
    await writeAsAnother('/compared.txt', 'theirs, and longer\n');
    const { files } = (await door()).window;
    assert.equal(text(await files.readFile(document.uri)), 'theirs, and longer\n');
    await files.writeFile(document.uri, bytes(document.getText()), { create: false, overwrite: true });
    const names = (await fs.readDirectory(world.uri('/'))).map(([name]) => name);
    const ours = names.filter((name) => name.startsWith('compared'));
    const contents = await Promise.all(ours.map(async (name) => text(await fs.readFile(world.uri(`/${name}`)))));
    assert.deepEqual(contents.sort(), ['mine one\n', 'theirs, and longer\n']);
  });

  it('F2: a dirty one that is renamed, with a folder above it, says on saving what it was typed upon', async () => {
    await fs.createDirectory(world.uri('/before'));
    await fs.writeFile(world.uri('/before/dirty.txt'), bytes('one\n'));
    const document = await vscode.workspace.openTextDocument(world.uri('/before/dirty.txt'));
    const editor = await vscode.window.showTextDocument(document);
    await editor.edit((edit) => edit.insert(new vscode.Position(0, 0), 'mine '));
    await writeAsAnother('/before/dirty.txt', 'theirs, and longer\n');
    const edit = new vscode.WorkspaceEdit();
    edit.renameFile(world.uri('/before'), world.uri('/after'));
    assert.equal(await vscode.workspace.applyEdit(edit), true);
    const moved = vscode.workspace.textDocuments.find(({ uri }) => uri.path === '/after/dirty.txt');
    assert.equal(moved?.isDirty, true);
    await moved.save();
    const names = (await fs.readDirectory(world.uri('/after'))).map(([name]) => name);
    const contents = await Promise.all(names.map(async (name) => text(await fs.readFile(world.uri(`/after/${name}`)))));
    assert.deepEqual(contents.sort(), ['mine one\n', 'theirs, and longer\n']);
  });

  it('one in a folder that another took the place of shows what stands there now', async () => {
    for (const [folder, content] of [
      ['/place', 'one\n'],
      ['/other', 'two, and longer\n'],
    ] as const) {
      await fs.createDirectory(world.uri(folder));
      await fs.writeFile(world.uri(`${folder}/a.txt`), bytes(content));
    }
    const document = await vscode.workspace.openTextDocument(world.uri('/place/a.txt'));
    await vscode.window.showTextDocument(document);
    const changed = next(
      vscode.workspace.onDidChangeTextDocument,
      ({ document: one }) => one === document && one.getText() === 'two, and longer\n',
    );
    const move = (from: string, to: string) =>
      world.api.rename(world.workspace, world.files.id, from, to, { overwrite: false });
    await move('/place', '/away');
    await move('/other', '/place');
    await changed;
  });

  it('F2: what is typed in one whose file was deleted is no version of the file that came in its place', async () => {
    await fs.writeFile(world.uri('/lost.txt'), bytes('one\n'));
    await fs.writeFile(world.uri('/put.txt'), bytes('theirs, and longer\n'));
    const document = await vscode.workspace.openTextDocument(world.uri('/lost.txt'));
    const editor = await vscode.window.showTextDocument(document);
    await world.api.remove(world.workspace, world.files.id, '/lost.txt', { recursive: false });
    await rejects(() => fs.stat(document.uri), 'FileNotFound');
    await editor.edit((edit) => edit.insert(new vscode.Position(0, 0), 'mine '));
    await world.api.rename(world.workspace, world.files.id, '/put.txt', '/lost.txt', { overwrite: false });
    const { files } = (await door()).window;
    await files.writeFile(document.uri, bytes(document.getText()), { create: true, overwrite: true });
    const names = (await fs.readDirectory(world.uri('/'))).map(([name]) => name);
    const ours = names.filter((name) => name.startsWith('lost'));
    const contents = await Promise.all(ours.map(async (name) => text(await fs.readFile(world.uri(`/${name}`)))));
    assert.deepEqual(contents.sort(), ['mine one\n', 'theirs, and longer\n']);
  });

  it('a saved one is in the file, with what was typed', async () => {
    await fs.writeFile(world.uri('/saved.txt'), bytes('one\n'));
    const document = await vscode.workspace.openTextDocument(world.uri('/saved.txt'));
    const editor = await vscode.window.showTextDocument(document);
    for (const word of ['two ', 'three ']) {
      await editor.edit((edit) => edit.insert(new vscode.Position(0, 0), word));
      assert.equal(await document.save(), true);
    }
    assert.equal(text(await world.api.read(world.workspace, world.files.id, '/saved.txt')), 'three two one\n');
  });

  it('one that was deleted elsewhere is gone from the file system', async () => {
    await fs.writeFile(world.uri('/deleted.txt'), bytes('one\n'));
    const { files } = (await door()).window;
    const gone = next(files.onDidChangeFile, (changes) =>
      changes.some(({ type, uri }) => type === vscode.FileChangeType.Deleted && uri.path === '/deleted.txt'),
    );
    await world.api.remove(world.workspace, world.files.id, '/deleted.txt', { recursive: false });
    await gone;
    await rejects(() => fs.stat(world.uri('/deleted.txt')), 'FileNotFound');
  });
});
