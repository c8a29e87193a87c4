/** F2: what unsaved text was typed upon, over a restart of the window. */
import assert from 'node:assert/strict';
import { Versions } from '../../src/views/files/versions.ts';
import { vscode } from '../fakes/fake-vscode.ts';

// These import `vscode`: after its fake.
const { workspace } = await import('vscode');
const { KeptBases } = await import('../../src/views/files/kept-bases.ts');

type Listener = (event: object) => void;
const EVENTS = ['Open', 'Save', 'Close', 'Change'].flatMap((what) => [`${what}Text`, `${what}Notebook`]);

/** What a window keeps, and its documents. */
class Window {
  readonly kept: Map<string, unknown>;
  readonly versions = new Versions();
  readonly #listeners = new Map<string, Listener>();

  constructor(kept: ReadonlyMap<string, unknown> = new Map()) {
    this.kept = new Map(kept);
    const on = (name: string) => [`onDid${name}Document`, this.#listen(name)];
    Object.assign(workspace, Object.fromEntries(EVENTS.map(on)));
    const state = {
      get: (key: string) => this.kept.get(key),
      update: async (key: string, value: unknown) => void this.kept.set(key, value),
    };
    new KeptBases(state as never, this.versions);
  }

  #listen(name: string) {
    return (listener: Listener) => {
      this.#listeners.set(name, listener);
      return { dispose: () => undefined };
    };
  }

  says(name: string, path: string, isDirty = false): void {
    const document = { uri: uriOf(path), isDirty };
    const event = { ChangeText: { document }, ChangeNotebook: { notebook: document } }[name] ?? document;
    this.#listeners.get(name)!(event);
  }

  /** What a window knows that is opened after this one. */
  baseAfter(path: string): string | undefined {
    return new Window(this.kept).versions.base(uriOf(path).toString());
  }
}

const WORKSPACE = 'aa'.repeat(32);
const TOOL = 'bb'.repeat(8);

function uriOf(path: string) {
  const authority = `${WORKSPACE}.${TOOL}`;
  const uri = vscode.Uri.from({ scheme: 'coterie', authority, path });
  return Object.assign(uri, { toString: () => `coterie://${authority}${path}` });
}

describe('What unsaved text was typed upon', () => {
  it('F2 is known after a restart, for text and for a notebook', () => {
    for (const change of ['ChangeText', 'ChangeNotebook']) {
      const window = new Window();
      window.versions.read(uriOf('/a').toString(), 'v1');
      window.says(change, '/a', true);
      assert.equal(window.baseAfter('/a'), 'v1');
      assert.equal(window.baseAfter('/b'), undefined);
    }
  });

  it('F2 is known of what was moved while it was not saved', () => {
    const window = new Window();
    window.versions.read(uriOf('/a').toString(), 'v1');
    window.says('ChangeText', '/a', true);
    window.versions.move(uriOf('/a').toString(), uriOf('/b').toString());
    window.says('CloseText', '/a', true);
    window.says('OpenText', '/b', true);
    assert.deepEqual([window.baseAfter('/a'), window.baseAfter('/b')], [undefined, 'v1']);
  });

  it('F2 is what was read beside it once that has taken its place, as by a revert', () => {
    const window = new Window();
    window.versions.read(uriOf('/a').toString(), 'v1');
    window.says('ChangeText', '/a', true);
    window.versions.readBeside(uriOf('/a').toString(), 'v2');
    window.says('ChangeText', '/a', true);
    assert.equal(window.baseAfter('/a'), 'v1');
    window.says('ChangeText', '/a', false);
    assert.equal(window.versions.base(uriOf('/a').toString()), 'v2');
  });

  it('is forgotten with what was saved, given up or closed', () => {
    for (const [end, isDirty] of [
      ['SaveText', false],
      ['ChangeText', false],
      ['CloseText', true],
    ] as const) {
      const window = new Window();
      window.versions.read(uriOf('/a').toString(), 'v1');
      window.says('ChangeText', '/a', true);
      window.says(end, '/a', isDirty);
      assert.equal(window.baseAfter('/a'), undefined, end);
    }
  });

  it('is nothing where what was kept is of no form that is known', () => {
    for (const kept of [undefined, 'v1', [['a']], [['a', 1]], { a: 'v1' }])
      assert.equal(new Window(new Map([['coterie.bases', kept]])).baseAfter('/a'), undefined);
  });
});
