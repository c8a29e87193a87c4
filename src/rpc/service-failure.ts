import type { ServiceError, ServiceErrorCode } from '../service/api.ts';

/**
 * A ServiceError as it comes out of the rpc: the same shape and name, but made here, since this room and the views know
 * the service by its types alone. Tell one by `serviceErrorOf`, not by instanceof.
 */
export class ServiceFailure extends Error implements ServiceError {
  override readonly name = 'ServiceError';
  readonly code: ServiceErrorCode;
  readonly detail: Readonly<Record<string, string>>;

  constructor(
    code: ServiceErrorCode,
    detail: Readonly<Record<string, string>> = {},
    options: { readonly cause?: unknown } = {},
  ) {
    super(code, options);
    this.code = code;
    this.detail = detail;
  }
}

/** The ServiceError that something thrown is, on whichever side it was made; undefined where it is something else. */
export function serviceErrorOf(error: unknown): ServiceError | undefined {
  if (!(error instanceof Error) || error.name !== 'ServiceError') return undefined;
  return 'code' in error && typeof error.code === 'string' ? (error as ServiceError) : undefined;
}
