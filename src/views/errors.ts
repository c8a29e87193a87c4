/** What a failure is, whatever realm its object came from: a ServiceError that crossed rpc is known by its code, not by its class. */
import type { ServiceErrorCode } from '../service/api.ts';
import { errorSentences } from './sentences.ts';

export function errorCode(error: unknown): ServiceErrorCode {
  const code = field(error, 'code');
  return typeof code === 'string' && Object.hasOwn(errorSentences, code) ? (code as ServiceErrorCode) : 'internal';
}

export function errorDetail(error: unknown): Readonly<Record<string, string>> {
  const detail = field(error, 'detail');
  return typeof detail === 'object' && detail !== null ? textsOf(detail) : {};
}

/** For the log: where it happened and no words of it, since a message may name a file or a person. */
export function errorTrace(error: unknown): string {
  const stack = field(error, 'stack');
  const frames = typeof stack === 'string' ? stack.split('\n').filter((line) => /^\s+at /.test(line)) : [];
  const name = field(error, 'name');
  return [`${typeof name === 'string' ? name : typeof error} ${errorCode(error)}`, ...frames.slice(0, 12)].join('\n');
}

function textsOf(detail: object): Record<string, string> {
  return Object.fromEntries(Object.entries(detail).map(([key, value]) => [key, String(value)]));
}

function field(value: unknown, name: string): unknown {
  return typeof value === 'object' && value !== null ? (value as Record<string, unknown>)[name] : undefined;
}
