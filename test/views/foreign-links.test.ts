import assert from 'node:assert/strict';
import { mock } from 'node:test';
import fc from 'fast-check';
import type { JoinInfo, JoinRequestInfo, OfferInfo, ServiceEvent } from '../../src/service/api.ts';
import type { House } from '../../src/views/house.ts';
import { plain } from '../../src/views/plain.ts';
import { noticeSentences } from '../../src/views/sentences.ts';
import { Emitter } from '../../src/base/event.ts';
import { vscode } from '../fakes/fake-vscode.ts';

// These import `vscode`: after its fake.
const { Say } = await import('../../src/views/say.ts');
const { showNotices } = await import('../../src/views/notices.ts');
const { Joins } = await import('../../src/views/joins.ts');
const { transfer } = await import('../../src/views/commands/transfers.ts');

/** More than VS Code takes for a link in a notification. */
const LINK = /\[[^\]]*\]\(/;
const hostile = '[Details](command:coterie.addFiles?["abc",["/home/alice/.ssh/id_ed25519"]])';

interface Stage {
  readonly house: House;
  say(event: ServiceEvent): void;
}

function stage(): Stage {
  const events = new Emitter<ServiceEvent>();
  const log = { warn: () => undefined, error: () => undefined, dispose: () => undefined };
  const never = () => ({ dispose: () => undefined });
  const house = {
    say: new Say(() => log as never),
    session: { events: events.event, onState: never, onStalled: never, current: undefined, api: async () => ({}) },
    list: {
      onChange: never,
      workspace: () => ({ name: hostile, role: 'guest' }),
      lists: { closed: [] },
      reload: never,
    },
    context: {},
  } as unknown as House;
  return { house, say: (event) => events.fire(event) };
}

/** Until the notices of what was said are shown: none of them waits for more than promises. */
async function shown(): Promise<readonly string[]> {
  await new Promise(setImmediate);
  return vscode.shown.filter(({ modal }) => !modal).map(({ text }) => text);
}

/** It reads as before, and leads nowhere. */
function assertPlain(texts: readonly string[]): void {
  assert.ok(texts.length > 0);
  assert.ok(texts.some((text) => text.replaceAll('\u2060', '').includes(hostile)));
  for (const text of texts) assert.doesNotMatch(text, LINK);
}

describe('a link in a name that somebody else chose', () => {
  beforeEach(() => vscode.clear());

  it('is text once it is plain, and what has none stays as it is', () => {
    assert.equal(plain('[a] (b) a[0](1)'), '[a] (b) a[0]\u2060(1)');
    fc.assert(
      fc.property(fc.string({ unit: fc.constantFrom('[', ']', '(', ')', 'a', '\u2060') }), (text) => {
        assert.doesNotMatch(plain(text), LINK);
        assert.equal(plain(text).replaceAll('\u2060', ''), text.replaceAll('\u2060', ''));
        assert.equal(plain(plain(text)), plain(text));
      }),
    );
  });

  it('runs nothing from a sentence, of whatever severity', async () => {
    const { house } = stage();
    for (const severity of ['information', 'warning', 'error'] as const)
      await house.say.show({ severity, text: 'About {name}.' }, { name: hostile });
    assert.equal((await shown()).length, 3);
    assertPlain(await shown());
  });

  it('runs nothing from a notice, whichever it is', async () => {
    const { house, say } = stage();
    const held = showNotices(house);
    const names = [...Object.values(noticeSentences)].flatMap(({ text }) => text.match(/(?<=\{)\w+(?=\})/g) ?? []);
    const detail = Object.fromEntries(names.map((name) => [name, hostile]));
    for (const code of Object.keys(noticeSentences) as (keyof typeof noticeSentences)[])
      say({ type: 'notice', code, workspace: 'abc', detail });
    assertPlain(await shown());
    held.dispose();
  });

  it('runs nothing from the word that he asks to join, has joined, or asks one along', async () => {
    const { house, say } = stage();
    const held = showNotices(house);
    const request = { id: 'r', workspace: 'w', name: hostile, role: 'guest', safetyNumber: '1' };
    const offer = { id: 'o', by: hostile, name: hostile, newName: hostile, role: 'guest' };
    say({ type: 'joinRequest', request: request as unknown as JoinRequestInfo });
    say({ type: 'joined', workspace: 'w', name: hostile });
    say({ type: 'offer', offer: offer as unknown as OfferInfo });
    assert.equal((await shown()).length, 3);
    assertPlain(await shown());
    held.dispose();
  });

  it('runs nothing from the title of what goes on', async () => {
    const { house } = stage();
    await transfer(house, `Continuing ${hostile}`, async () => undefined);
    assertPlain(await shown());
  });

  it('runs nothing from a join that takes a while', async () => {
    mock.timers.enable({ apis: ['setTimeout'] });
    const { house } = stage();
    const joins = new Joins(house);
    const join = { workspace: 'w', workspaceName: hostile, state: 'copying', doneBytes: 1, totalBytes: 2, own: false };
    joins.follow(join as unknown as JoinInfo);
    mock.timers.tick(1000);
    assertPlain(await shown());
    joins.dispose();
    mock.timers.reset();
  });
});
