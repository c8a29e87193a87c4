/** The outside world did not let us: the code is stable, the cause is the system's own. */
export class BridgeError extends Error {
  override readonly name = 'BridgeError';
  readonly code: 'diskFull' | 'notPermitted' | 'notFound' | 'io';
  constructor(code: BridgeError['code'], options?: { cause?: unknown }) {
    super(`the local folder: ${code}`, options);
    this.code = code;
  }
}

const CODES: Readonly<Record<string, BridgeError['code']>> = {
  ENOSPC: 'diskFull',
  EDQUOT: 'diskFull',
  EACCES: 'notPermitted',
  EPERM: 'notPermitted',
  EROFS: 'notPermitted',
  ENOENT: 'notFound',
  ENOTDIR: 'notFound',
};

export function toBridgeError(error: unknown): BridgeError {
  return new BridgeError(CODES[systemCode(error)] ?? 'io', { cause: error });
}

/** `ENOENT` and the like, or nothing. */
export function systemCode(error: unknown): string {
  return error instanceof Error && 'code' in error ? String(error.code) : '';
}
