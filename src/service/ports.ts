/** What the service is handed: the adapters it does not know by name. */
import type { Crypto } from '../crypto/crypto.ts';
import type { ChunkStore, Clock, LogStore, Transport } from '../sync/ports.ts';
import type { ChunkRef, Content } from '../tools/files/content.ts';
import type { DeviceSecrets, ImportReport, Settings } from './api.ts';

export type SqlValue = string | number | Uint8Array | null;

/** What changes in the index; `length` tells about how much that is. */
export interface IndexChanges extends Iterable<{ readonly sql: string; readonly args: SqlValue[] }> {
  readonly length: number;
}

/** The disposable index (L1): canonical rows go in, named queries come out. */
export interface Index {
  define(schema: readonly string[]): void;
  /** They may be made when they are needed: once, perhaps later. */
  apply(changes: IndexChanges): void;
  query<T>(sql: string, args: SqlValue[]): T[];
  /** All of it, to be taken up again. */
  image(): Uint8Array;
  /** Takes up an image of an index of this kind in the place of what is here; without one it is empty, and nothing is defined. */
  takeUp(image: Uint8Array | undefined): void;
  close(): void;
}

/** A piece of the store that may be lost at any time: it is made again. */
export interface Scrap {
  /** As it was last written; undefined where it is not there, or is damaged. */
  read(): Promise<Uint8Array | undefined>;
  write(bytes: Uint8Array): Promise<void>;
  clear(): Promise<void>;
}

/** Which key a chunk is sealed under (F1). */
export interface ChunkKeys {
  current(): { readonly generation: string; readonly key: Uint8Array };
  find(generation: string): Uint8Array | undefined;
}

export interface ParentContent {
  readonly content: Content;
  readonly chain: number;
  read(): Promise<Uint8Array | undefined>;
}

/** Throws errors named ContentMissing, ContentDamaged, ContentTooLarge. */
export interface ContentStore {
  writeStream(
    source: AsyncIterable<Uint8Array>,
    options?: { readonly reuse?: readonly ChunkRef[]; readonly sync?: boolean },
  ): Promise<Content>;
  writeBytes(
    bytes: Uint8Array,
    parent?: ParentContent,
    options?: { readonly reuse?: readonly ChunkRef[]; readonly sync?: boolean },
  ): Promise<Content>;
  read(content: Content, range?: { readonly offset: number; readonly length: number }): AsyncIterable<Uint8Array>;
  readAll(content: Content): Promise<Uint8Array>;
  resolvePatched(chain: readonly Content[]): Promise<Uint8Array>;
  chunkRefs(content: Content): Promise<readonly ChunkRef[] | undefined>;
  missing(content: Content): Promise<readonly ChunkRef[]>;
}

export interface ImportSink {
  folder(path: string): Promise<void>;
  file(
    path: string,
    stream: AsyncIterable<Uint8Array>,
    info: { readonly modified: number; readonly bytes: number },
  ): Promise<void>;
}

export interface Progress {
  readonly doneFiles: number;
  readonly doneBytes: number;
  readonly totalBytes?: number;
  readonly current: string;
}

export type ExportEntry =
  | { readonly kind: 'folder'; readonly path: string }
  | { readonly kind: 'file'; readonly path: string; readonly modified: number; read(): AsyncIterable<Uint8Array> };

/** Real folders, in and out (bridges). */
export interface Bridges {
  importPaths(
    paths: readonly string[],
    options: {
      readonly signal: AbortSignal;
      readonly sink: ImportSink;
      readonly onProgress?: (progress: Progress) => void;
    },
  ): Promise<ImportReport>;
  exportEntries(
    entries: AsyncIterable<ExportEntry> | Iterable<ExportEntry>,
    options: {
      readonly into: string;
      readonly signal: AbortSignal;
      readonly onProgress?: (progress: Progress) => void;
    },
  ): Promise<ImportReport>;
}

export interface TransportSetup {
  readonly certificate: Uint8Array;
  readonly agreementSecret: Uint8Array;
  readonly directPort: number;
  readonly lanDiscovery: boolean;
}

export interface ServiceOptions {
  readonly secrets: DeviceSecrets;
  readonly settings: Settings;
  readonly crypto: Crypto;
  readonly clock: Clock;
  readonly log: LogStore;
  readonly chunks: ChunkStore;
  readonly index: Index;
  /** Where an image of the index is kept; without it the index is made anew with each start. */
  readonly indexImage?: Scrap;
  readonly bridges: Bridges;
  makeTransport(setup: TransportSetup): Transport;
  /** Where the store is: another place than when it was last open means that it is a copy (D2). */
  readonly place?: string;
  /** Puts other secrets in the place of these, where they can be read back; false where they cannot be kept (I2). */
  keepSecrets?(secrets: DeviceSecrets): Promise<boolean>;
  makeContents(keys: ChunkKeys): ContentStore;
  /** A journal this long is compacted at the next start; a test's is shorter. */
  readonly compactAboveBytes?: number;
  /** Hears of errors that nobody waits for and that are no disk's, relay's or member's: faults of ours. */
  readonly onFault?: (error: unknown) => void;
}
