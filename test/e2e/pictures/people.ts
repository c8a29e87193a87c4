/** How people and their devices come together. */
import { doneSentences, joinSentences, linkSentences } from '../../../src/views/sentences.ts';
import type { JoinReason, LinkInfo } from '../../../src/service/api.ts';
import { DAY, join, NOW } from './made-up.ts';
import type { Scene } from './scene.ts';

const SAFETY = '12345 67890 12345 67890 12345 67890';

export async function joins(scene: Scene): Promise<void> {
  const { window, made, theme } = scene;
  const { emitter } = made.service;
  await window.command('Coterie: Accept Invitation…');
  await window.inputBox.waitFor();
  await scene.shot('accept-ask');
  await window.answer('vscode://coterie.coterie/join#fake');
  await scene.dialog('accept-confirm');
  const reasons = Object.keys(joinSentences) as JoinReason[];
  await scene.toasts('join-refused', reasons, (reason) =>
    emitter.fire({ type: 'join', join: join(`Apollo ${reason} ${theme}`, { state: 'refused', reason }) }),
  );
  await scene.toasts('join-told', ['waiting', 'done', 'own'] as const, (how) => {
    const state = how === 'waiting' ? how : 'done';
    emitter.fire({ type: 'join', join: join(`Apollo ${how} ${theme}`, { state, own: how === 'own' }) });
  });
  await scene.toasts('join-asked', ['request', 'joined', 'offer'] as const, (what) => {
    const about = { id: `${what} ${theme}`, name: 'Grace', safetyNumber: SAFETY, role: 'participant' } as const;
    if (what === 'joined') emitter.fire({ type: 'joined', workspace: made.apollo, name: 'Grace' });
    if (what === 'request')
      emitter.fire({ type: 'joinRequest', request: { ...about, workspace: made.apollo, account: 'cc'.repeat(32) } });
    if (what === 'offer')
      emitter.fire({
        type: 'offer',
        offer: { ...about, name: 'Skylab', newName: 'Skylab (continued)', by: 'Bob', expires: NOW + 30 * DAY },
      });
  });
  await window.treeRow('Skylab (continued)').click();
  await scene.dialog('offer-confirm');
}

/** This person's own. */
export async function devices(scene: Scene): Promise<void> {
  const { window, made, theme } = scene;
  const { answers } = made;
  const one = { self: false, added: NOW - 90 * DAY, online: false, inSync: false };
  answers.devices = async () => [
    { ...one, device: '1'.repeat(64), name: 'laptop', self: true, online: true, inSync: true },
    { ...one, device: '2'.repeat(64), name: 'desk', online: true, inSync: true, lastHeard: NOW },
    { ...one, device: '3'.repeat(64), name: 'tablet', lastHeard: NOW - 3 * DAY },
    { ...one, device: '4'.repeat(64), name: 'the old computer in the attic, of which nobody knows what it does' },
  ];
  await window.command('Coterie: Show My Devices…');
  await window.choice('tablet').waitFor();
  await scene.shot('devices');
  await window.choose('tablet');
  await window.choice('Take It Out').waitFor();
  await scene.shot('device-change');
  await window.choose('Take It Out');
  await window.dialog.waitFor();
  await scene.shot('device-confirm');
  await window.dialogButton('Take It Out');
  await window.toasts.first().waitFor();
  await scene.shot('device-out');
  await scene.clear();
  const request = { id: `d ${theme}`, name: 'tablet', number: `1234 5678 ${theme === 'dark' ? 9012 : 9013}` };
  made.service.emitter.fire({ type: 'deviceRequest', request });
  await scene.dialog('device-request');
  await window.command('Coterie: Show Recovery Phrase…');
  await window.dialog.waitFor();
  await scene.shot('phrase-warning');
  await window.dialogButton('Show the Words');
  await window.dialog.locator('text=abandon').first().waitFor();
  await scene.dialog('phrase');
}

/** A machine without a workspace: what it begins with, and how it becomes one of a person's devices, or not. */
export async function beginnings(scene: Scene): Promise<void> {
  const { window, made } = scene;
  const { answers, service } = made;
  const { workspaces, closed } = answers;
  const offers = service.offers.splice(0);
  Object.assign(answers, { workspaces: async () => [], closed: async () => [] });
  made.changed();
  await window.welcome.waitFor();
  await scene.shot('welcome');
  const link = (state: LinkInfo['state'], reason?: LinkInfo['reason']): void => {
    service.link = { state, number: '1234 5678 9012', ...(reason === undefined ? {} : { reason }) };
    service.emitter.fire({ type: 'link', link: service.link });
  };
  const reasons = Object.keys(linkSentences) as (keyof typeof linkSentences)[];
  for (const reason of reasons) {
    link('refused', reason);
    await window.command('Coterie: Link This Device…');
    await window.answer('c0de');
    await window.toast(linkSentences[reason].text).waitFor();
    await scene.shot(`link-refused-${reason}`);
    await scene.clear();
  }
  link('waiting');
  await window.welcome.getByText('is becoming one of your devices').waitFor();
  await window.command('Coterie: Link This Device…');
  await window.answer('c0de');
  await window.toasts.first().waitFor();
  await scene.shot('linking');
  link('done');
  await window.toast(doneSentences.linked.text.slice(0, 30)).waitFor();
  await scene.shot('linked');
  await scene.clear();
  service.link = undefined;
  service.offers.push(...offers);
  Object.assign(answers, { workspaces, closed });
  made.changed();
  await window.treeRow('Apollo').waitFor();
}
