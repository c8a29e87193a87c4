/** What is known of parcels (R9), over the table: plain statements, to be called inside a transaction. */
import type { DatabaseSync } from 'node:sqlite';
import { toHex } from '../base/bytes.ts';
import { Code } from '../protocol/relay-messages.ts';
import type { ParcelState, ParcelTerms } from './store.ts';

/** Accounts whose sums are remembered: so many put parcels within days, and a sum takes a millisecond or two. */
const MAX_REMEMBERED_ACCOUNTS = 10_000;

interface Used {
  bytes: number;
  parcels: number;
}

interface ParcelRow extends ParcelState {
  readonly account: Uint8Array;
}

export class ParcelRows {
  readonly #sql: ReturnType<typeof prepare>;
  /** What an account's parcels come to: summed up once, for an account may have thirty thousand. */
  readonly #used = new Map<string, Used>();

  constructor(database: DatabaseSync) {
    this.#sql = prepare(database);
  }

  openParcel(
    id: Uint8Array,
    account: Uint8Array,
    total: number,
    quotaBytes: number,
    now: number,
    { eachBytes = 0, begin = true }: ParcelTerms = {},
  ): { readonly code: Code; readonly received: number } {
    const found = this.#sql.row(id);
    if (found && toHex(found.account) !== toHex(account)) return { code: Code.refused, received: 0 };
    if (found) return { code: found.total === total ? Code.ok : Code.badRequest, received: found.received };
    const used = this.#usedBy(account);
    if (used.bytes + total + (used.parcels + 1) * eachBytes > quotaBytes) return { code: Code.quota, received: 0 };
    if (begin) {
      this.#sql.add(id, account, total, now);
      used.bytes += total;
      used.parcels++;
    }
    return { code: Code.ok, received: 0 };
  }

  advanceParcel(id: Uint8Array, received: number, now: number): void {
    this.#sql.advance(id, received, now);
  }

  parcel(id: Uint8Array): ParcelState | undefined {
    const found = this.#sql.row(id);
    return found && { total: found.total, received: found.received };
  }

  keepParcel(id: Uint8Array, account: Uint8Array, references: number, now: number): Code {
    const found = this.#sql.row(id);
    if (!found) return Code.notFound;
    if (toHex(found.account) !== toHex(account)) return Code.refused;
    if (references > 0) this.#sql.keep(id, references, now);
    else {
      const used = this.#usedBy(account);
      this.#sql.drop(id);
      used.bytes -= found.total;
      used.parcels--;
    }
    return Code.ok;
  }

  expireParcels(before: number): readonly Uint8Array[] {
    this.forget();
    return this.#sql.dropOld(before);
  }

  parcelIds(): readonly Uint8Array[] {
    return this.#sql.ids();
  }

  /** What has been done since the last commit has been undone: the sums are made again. */
  forget(): void {
    this.#used.clear();
  }

  #usedBy(account: Uint8Array): Used {
    const key = toHex(account);
    const known = this.#used.get(key);
    if (known) return known;
    if (this.#used.size >= MAX_REMEMBERED_ACCOUNTS) this.forget();
    const used = this.#sql.used(account);
    this.#used.set(key, used);
    return used;
  }
}

function prepare(database: DatabaseSync) {
  const find = database.prepare('SELECT account, total, received FROM parcels WHERE id = ?');
  const used = database.prepare(
    'SELECT coalesce(sum(total), 0) AS bytes, count(*) AS parcels FROM parcels WHERE account = ?',
  );
  const add = database.prepare('INSERT INTO parcels (id, account, total, renewed) VALUES (?, ?, ?, ?)');
  const advance = database.prepare('UPDATE parcels SET received = ?, renewed = ? WHERE id = ?');
  const keep = database.prepare('UPDATE parcels SET refs = ?, renewed = ? WHERE id = ?');
  const drop = database.prepare('DELETE FROM parcels WHERE id = ?');
  const dropOld = database.prepare('DELETE FROM parcels WHERE renewed < ? RETURNING id');
  const ids = database.prepare('SELECT id FROM parcels');
  const idsOf = (rows: Record<string, unknown>[]) => rows.map((one) => one['id'] as Uint8Array);
  return {
    row: (id: Uint8Array) => find.get(id) as ParcelRow | undefined,
    used: (account: Uint8Array): Used => {
      const { bytes, parcels } = used.get(account) as unknown as Used;
      return { bytes, parcels };
    },
    add: (id: Uint8Array, account: Uint8Array, total: number, now: number) => void add.run(id, account, total, now),
    advance: (id: Uint8Array, received: number, now: number) => void advance.run(received, now, id),
    keep: (id: Uint8Array, references: number, now: number) => void keep.run(references, now, id),
    drop: (id: Uint8Array) => void drop.run(id),
    dropOld: (before: number) => idsOf(dropOld.all(before)),
    ids: () => idsOf(ids.all()),
  };
}
