/**
 * The index for queries (L1): SQLite in WebAssembly, in memory alone. It holds nothing that is not in the journal or a
 * snapshot, is made anew from their rows, or taken up from an image, when the store is opened, and may be thrown away at any time.
 * There is no fts5 in it; fts4 is.
 */
import initSqlJs, { type Database, type SqlJsStatic, type Statement } from 'sql.js';
import { assert } from '../base/assert.ts';

export type SqlValue = string | number | Uint8Array | null;

export interface Change {
  readonly sql: string;
  readonly args: readonly SqlValue[];
}

/** Statements kept prepared; queries are named in the code, so there are tens. */
const MAX_PREPARED = 256;
/** What is deleted is overwritten: an image, too, holds nothing of a workspace that was erased (K2). Of a connection, not of a file. */
const OVERWRITES = 'PRAGMA secure_delete = ON';

/** `wasm` is sql.js's sql-wasm.wasm; without it sql.js looks beside its own script. */
export async function openIndex({ wasm }: { readonly wasm: Uint8Array | undefined }): Promise<IndexDb> {
  // A copy: the bytes may be a view into a larger buffer, of which sql.js would take the whole.
  const binary = wasm && new Uint8Array(wasm).buffer;
  const sql = await initSqlJs(binary ? { wasmBinary: binary } : {});
  return new IndexDb(sql);
}

export class IndexDb {
  readonly #sql: SqlJsStatic;
  #db: Database;
  readonly #prepared = new Map<string, Statement>();

  constructor(sql: SqlJsStatic) {
    this.#sql = sql;
    this.#db = opened(sql, undefined);
  }

  define(schema: readonly string[]): void {
    this.#inTransaction(() => {
      for (const sql of schema) this.#db.run(sql);
    });
  }

  /** All of the changes or none. */
  apply(changes: Iterable<Change>): void {
    this.#inTransaction(() => {
      for (const { sql, args } of changes) this.#prepare(sql).run(args as SqlValue[]);
    });
  }

  /** Rows as objects by the names of their columns. */
  query<T>(sql: string, args: readonly SqlValue[] = []): T[] {
    const statement = this.#prepare(sql);
    const rows: T[] = [];
    try {
      statement.bind([...args]);
      while (statement.step()) rows.push(statement.getAsObject() as T);
    } finally {
      statement.reset();
    }
    return rows;
  }

  /** SQLite's own file. Not for a hot path: statements are prepared anew after it. */
  image(): Uint8Array {
    this.#forgetStatements();
    const image = this.#db.export();
    // It has opened the database anew.
    this.#db.run(OVERWRITES);
    return image;
  }

  /** Of an image that was made here; without one it is empty. */
  takeUp(image: Uint8Array | undefined): void {
    this.close();
    this.#db = opened(this.#sql, image);
  }

  close(): void {
    this.#forgetStatements();
    this.#db.close();
  }

  #forgetStatements(): void {
    for (const statement of this.#prepared.values()) statement.free();
    this.#prepared.clear();
  }

  #inTransaction(work: () => void): void {
    this.#db.run('BEGIN');
    try {
      work();
      this.#db.run('COMMIT');
    } catch (error) {
      this.#db.run('ROLLBACK');
      throw error;
    }
  }

  #prepare(sql: string): Statement {
    const known = this.#prepared.get(sql);
    if (known) return known;
    assert(this.#prepared.size < MAX_PREPARED, 'statements are few and take their values as arguments');
    const statement = this.#db.prepare(sql);
    this.#prepared.set(sql, statement);
    return statement;
  }
}

function opened(sql: SqlJsStatic, image: Uint8Array | undefined): Database {
  const db = new sql.Database(image);
  db.run(OVERWRITES);
  return db;
}
