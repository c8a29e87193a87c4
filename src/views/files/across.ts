/** From one workspace to another: the content alone can go along. */
import type { CoterieApi } from '../../service/api.ts';
import { errorCode } from '../errors.ts';
import { childPath, type FilePlace } from './place.ts';
import { readWhole } from './whole.ts';

/** What has been copied, and as what it stood there. */
interface Copied {
  readonly path: string;
  readonly version: string;
}

/** Answers what was copied, each folder before what is in it. */
export async function copyAcross(
  api: CoterieApi,
  from: FilePlace,
  to: FilePlace,
  overwrite: boolean,
): Promise<readonly Copied[]> {
  const { path } = from;
  const entry = await api.stat(from.workspace, from.tool, path);
  const whole = await readWhole(api, from, entry);
  if (whole !== undefined) {
    await api.write(to.workspace, to.tool, to.path, whole.bytes, { create: true, overwrite });
    return [{ path, version: whole.version }];
  }
  await api.makeFolder(to.workspace, to.tool, to.path);
  const copied: Copied[] = [{ path, version: entry.version }];
  const entries = await api.list(from.workspace, from.tool, path);
  // A conflict copy is shown by its name as long as what it stands beside is there: removed in turn, it is before that.
  for (const { name } of entries.toSorted((a, b) => rank(a) - rank(b))) {
    const [source, target] = [from, to].map((place) => ({ ...place, path: childPath(place.path, name) }));
    copied.push(...(await copyAcross(api, source!, target!, overwrite)));
  }
  return copied;
}

function rank({ conflictOf }: { readonly conflictOf?: string }): number {
  return conflictOf === undefined ? 0 : 1;
}

/**
 * Copies, which may take minutes, and then removes what was copied. What others have changed or added meanwhile is in no copy, and stays. Answers
 * whether nothing was left.
 */
export async function moveAcross(
  api: CoterieApi,
  from: FilePlace,
  to: FilePlace,
  overwrite: boolean,
): Promise<boolean> {
  const { workspace, tool } = from;
  let isWhole = true;
  for (const { path, version } of (await copyAcross(api, from, to, overwrite)).toReversed()) {
    isWhole = (await isDone(api.remove(workspace, tool, path, { recursive: false, version }))) && isWhole;
  }
  // Of a file another version may have stood beside the one that was copied.
  return isWhole && !(await isDone(api.stat(workspace, tool, from.path)));
}

/** Whether what it was meant for was there, and nothing else in it. */
async function isDone(call: Promise<unknown>): Promise<boolean> {
  try {
    await call;
    return true;
  } catch (error) {
    const code = errorCode(error);
    if (code === 'notFound' || code === 'notEmpty') return false;
    throw error;
  }
}
