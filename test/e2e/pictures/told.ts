/** Every sentence that a person may be told: those of sentences.ts, whatever they are. */
import { ServiceError, type NoticeCode, type ServiceErrorCode } from '../../../src/service/api.ts';
import { errorSentences, noticeSentences, reasonSentences } from '../../../src/views/sentences.ts';
import { CLOSED_WITH_WORK, DETAIL, device } from './made-up.ts';
import type { Scene } from './scene.ts';

/** Of a workspace that one is not in any more. */
const OUT: ReadonlySet<NoticeCode> = new Set([
  'removed',
  'deviceRemoved',
  'frozen',
  'notLetIn',
  'letInVain',
  'overtaken',
]);

export async function notices(scene: Scene): Promise<void> {
  const { made, name } = scene;
  const codes = Object.keys(noticeSentences) as NoticeCode[];
  await scene.toasts('notice', codes, (code) => {
    const workspace = OUT.has(code) ? CLOSED_WITH_WORK : code === 'outOfStep' ? made.gemini : made.apollo;
    const detail = { ...DETAIL, name, device: device('laptop').device };
    made.service.emitter.fire({ type: 'notice', code, workspace, detail });
  });
}

export async function failures(scene: Scene): Promise<void> {
  const { window, made } = scene;
  // Who has cancelled something is told nothing.
  const codes = [...Object.keys(errorSentences), ...Object.keys(reasonSentences)].filter(
    (code) => code !== 'cancelled',
  );
  await scene.toasts('failure', codes, async (all) => {
    const [code, reason] = all.split(' ');
    made.answers.markSeen = async () => {
      throw new ServiceError(code as ServiceErrorCode, { ...DETAIL, ...(reason === undefined ? {} : { reason }) });
    };
    await window.command('Coterie: Mark All as Read');
  });
  delete made.answers.markSeen;
}

/** What has gone well. */
export async function done(scene: Scene): Promise<void> {
  const { window, made } = scene;
  const { answers } = made;
  await scene.toasts('done', ['drop', 'freeze', 'back'] as const, async (what) => {
    if (what === 'drop') {
      await window.command('Coterie: Drop Absent Devices…');
      await window.chooseAll(['Bob']);
      await window.dialogButton('Drop');
    } else if (what === 'freeze') {
      await window.command('Coterie: Freeze Device…');
      await window.choose('Carol');
      await window.dialogButton('Freeze');
    } else await window.command('Coterie: Fetch a Fresh Copy…').then(() => window.choose('Skylab'));
  });
  await scene.toasts('put-back', [0, 1, 2] as const, async (left) => {
    answers.putBack = async () => ({ posts: 1, files: left, deeds: 3, left });
    await window.command('Coterie: Put Unsent Work Back…');
  });
}
