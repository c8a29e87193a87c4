/**
 * What a window and its worker thread say to each other beside the rpc:
 *
 * | from | message | what follows |
 * |---|---|---|
 * | window | start | the worker tries to become the owner |
 * | worker | lost | another window owns the store; the worker ends |
 * | worker | wantSecrets | the window answers with secrets, as its secret storage has them |
 * | worker | keepSecrets | new ones, of a new store or another account: kept before anything is written with them (I2) |
 * | window | secretsKept | they can be read back |
 * | worker | open | the api is served on the port |
 * | worker | failed | the worker ends |
 * | window | close | everything is flushed, then `closed`, and the worker ends |
 */
import type { MessagePort } from 'node:worker_threads';
import type { DeviceSecrets, ServiceErrorCode, Settings } from '../service/api.ts';

/** Where the store is locked: it goes aside, and a new one begins, of the phrase's account or of a new one. */
export interface Beside {
  readonly phrase?: string;
}

export interface WorkerStart {
  readonly type: 'start';
  readonly folder: string;
  readonly wasmPath: string;
  readonly settings: Settings;
  readonly build: string;
  readonly beside?: Beside;
  readonly port: MessagePort;
}

export interface WorkerFailure {
  readonly code: ServiceErrorCode;
  readonly detail: Readonly<Record<string, string>>;
}

export type ToWorker =
  | WorkerStart
  | { readonly type: 'secrets'; readonly secrets: DeviceSecrets | undefined }
  | { readonly type: 'secretsKept'; readonly kept: boolean }
  | { readonly type: 'close' };

export type FromWorker =
  | { readonly type: 'lost' | 'wantSecrets' | 'open' }
  | { readonly type: 'keepSecrets'; readonly secrets: DeviceSecrets }
  | ({ readonly type: 'failed' } & WorkerFailure)
  | { readonly type: 'closed'; readonly failure: WorkerFailure | undefined };
