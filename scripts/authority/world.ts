/**
 * A world as people write it down: operations with their causal past, by name. Read from JSON with a word on what is wrong.
 *
 * `{"ops":[{"id","author","device":0..11,"type","target","role","perm","allow","tool","cred","past":[ids]}]}`
 *
 * A world has a chat, and a second one where something is of it: `tool` says which, 0 or 1; a post without it is in the first. A
 * setPerm of `edit` with it is of that one, else of all chats; its `allow` may be null: as the wider scope says.
 */
export const OP_TYPES = ['genesis', 'admit', 'setRole', 'remove', 'leave', 'setPerm', 'data'] as const;
export const ROLES = ['manager', 'participant', 'guest'] as const;
export const PERMS = ['edit', 'invite', 'uninvite'] as const;
export const DEVICES = 12;
export const TOOLS = 2;
const MAX_OPS = 100_000;

export interface Op {
  readonly id: string;
  readonly author: string;
  readonly device: number;
  readonly type: (typeof OP_TYPES)[number];
  /** Of admit, setRole and remove. */
  readonly target: string;
  /** Index into ROLES: of admit, setRole and setPerm. */
  readonly role: number;
  readonly perm: (typeof PERMS)[number];
  readonly allow: boolean | null;
  /** Of data and of setPerm: which of the tools; undefined for all of their kind. */
  readonly tool: number | undefined;
  readonly cred: string | undefined;
  readonly past: ReadonlySet<string>;
}

export class WorldError extends Error {
  override readonly name = 'WorldError';
}

/** The operations, each after its past. Throws WorldError. */
export function readWorld(text: string): readonly Op[] {
  let json: unknown;
  try {
    json = JSON.parse(text);
  } catch (error) {
    throw new WorldError(`this is not JSON: ${error instanceof Error ? error.message : String(error)}`);
  }
  const list = isRecord(json) ? json['ops'] : undefined;
  if (!Array.isArray(list)) throw new WorldError('a world is {"ops": [...]}');
  if (list.length > MAX_OPS) throw new WorldError(`a world has at most ${MAX_OPS} operations`);
  const ops = list.map((value: unknown, i) => readOp(value, `operation ${i + 1}`));
  checkPasts(ops);
  // A past is closed: what lies in it has a smaller one.
  return ops.toSorted((a, b) => a.past.size - b.past.size);
}

function readOp(value: unknown, where: string): Op {
  if (!isRecord(value)) throw new WorldError(`${where} is no object`);
  const text = (key: string) => asText(value[key], `${where}: "${key}"`);
  const [id, author, type] = [text('id'), text('author'), oneOf(value['type'], OP_TYPES, `${where}: "type"`)];
  const device = value['device'] ?? 0;
  if (!Number.isInteger(device) || (device as number) < 0 || (device as number) >= DEVICES)
    throw new WorldError(`${where}: "device" is a number from 0 to ${DEVICES - 1}`);
  const past = value['past'] ?? [];
  if (!Array.isArray(past)) throw new WorldError(`${where}: "past" is a list of ids`);
  const needsTarget = type === 'admit' || type === 'setRole' || type === 'remove';
  const needsRole = type === 'admit' || type === 'setRole' || type === 'setPerm';
  return {
    id,
    author,
    device: device as number,
    type,
    target: needsTarget ? text('target') : '',
    role: needsRole ? readRole(value['role'], where) : 0,
    perm: type === 'setPerm' ? oneOf(value['perm'], PERMS, `${where}: "perm"`) : 'edit',
    allow: type === 'setPerm' && value['allow'] !== null ? asFlag(value['allow'], where) : null,
    tool: readTool(type, value, where),
    cred: value['cred'] === undefined || value['cred'] === null ? undefined : text('cred'),
    past: new Set(past.map((one: unknown) => asText(one, `${where}: "past"`))),
  };
}

function readTool(type: Op['type'], { tool, perm }: Record<string, unknown>, where: string): number | undefined {
  const isOfTool = type === 'data' || (type === 'setPerm' && perm === 'edit');
  if (!isOfTool) return undefined;
  if (tool === undefined || tool === null) return type === 'data' ? 0 : undefined;
  if (!Number.isInteger(tool) || (tool as number) < 0 || (tool as number) >= TOOLS)
    throw new WorldError(`${where}: "tool" is a number from 0 to ${TOOLS - 1}`);
  return tool as number;
}

function readRole(value: unknown, where: string): number {
  if (typeof value === 'number' && ROLES[value] !== undefined) return value;
  return ROLES.indexOf(oneOf(value, ROLES, `${where}: "role"`));
}

function checkPasts(ops: readonly Op[]): void {
  const byId = new Map(ops.map((op) => [op.id, op]));
  if (byId.size < ops.length) throw new WorldError('an id stands twice');
  if (ops.filter(({ type }) => type === 'genesis').length !== 1) throw new WorldError('a world has one genesis');
  const feeds = new Map<string, Op>();
  for (const op of ops.toSorted((a, b) => a.past.size - b.past.size)) {
    if (op.type === 'genesis' && op.past.size > 0) throw new WorldError(`${op.id}: nothing was before the genesis`);
    if (op.type !== 'genesis' && op.past.size === 0) throw new WorldError(`${op.id}: the genesis lies in every past`);
    for (const id of op.past) {
      const before = byId.get(id);
      if (!before) throw new WorldError(`${op.id}: "${id}" in its past is nowhere`);
      if (id === op.id || !isWithin(before.past, op.past)) throw new WorldError(`${op.id}: its past is not closed`);
    }
    const feed = `${op.author} ${op.device}`;
    const last = feeds.get(feed);
    if (last && !op.past.has(last.id))
      throw new WorldError(`${op.id}: "${last.id}" of the same device is not in its past`);
    feeds.set(feed, op);
  }
}

function isWithin(inner: ReadonlySet<string>, outer: ReadonlySet<string>): boolean {
  if (inner.size >= outer.size) return false;
  for (const id of inner) if (!outer.has(id)) return false;
  return true;
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function asText(value: unknown, where: string): string {
  if (typeof value !== 'string' || value === '') throw new WorldError(`${where} is a text`);
  return value;
}

function asFlag(value: unknown, where: string): boolean {
  if (typeof value !== 'boolean') throw new WorldError(`${where}: "allow" is true or false`);
  return value;
}

function oneOf<T extends string>(value: unknown, words: readonly T[], where: string): T {
  const found = words.find((word) => word === value);
  if (found === undefined) throw new WorldError(`${where} is one of ${words.join(', ')}`);
  return found;
}
