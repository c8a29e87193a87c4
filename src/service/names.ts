/** Names that people give: of themselves, of devices, workspaces and tools. */
import { toUtf8 } from '../base/utf8.ts';
import { MAX_NAME_BYTES } from '../protocol/limits.ts';
import { ServiceError } from './api.ts';

/** Throws ServiceError('badName'). */
export function named(name: string): string {
  const trimmed = name.trim();
  if (trimmed === '' || !trimmed.isWellFormed() || toUtf8(trimmed).length > MAX_NAME_BYTES) {
    throw new ServiceError('badName', { name: trimmed.slice(0, 40) });
  }
  return trimmed;
}

/** A name somebody typed long ago must not keep the service from starting. */
export function shortened(name: string): string {
  let short = name.toWellFormed();
  while (toUtf8(short).length > MAX_NAME_BYTES) short = short.slice(0, -1).toWellFormed();
  return short;
}
