/** What managers have said of what each role may do (A5), where accepted; and by that who may do what, as of a delta's past and now. */
import { push } from '../base/group.ts';
import type { ToolId } from '../base/ids.ts';
import { Role, type Control, type SettingScope } from './control.ts';
import { inPast, type Node } from './graph.ts';
import { allowedByDefault, type Action, type Scope } from './permissions.ts';

/** Of one action for one role. */
interface Setting {
  readonly node: Node;
  /** Undefined: as the wider scope says. */
  readonly allow: boolean | undefined;
}

/** What a role may do now. */
export interface Allowance {
  readonly allowed: boolean;
  /** What it would be with nothing said of this scope: the default, or of one tool what holds for its kind. */
  readonly otherwise: boolean;
  /** Something else is said of this scope than that it is as the wider one. */
  readonly isOwn: boolean;
  /** Settings of this scope that no later one replaces: several where managers have set it at once, and then a denial stands. */
  readonly setBy: readonly Node[];
}

export class Settings {
  /** By scope, action and role: few of each, whatever the workspace's age. */
  readonly #settings = new Map<string, Setting[]>();

  clear(): void {
    this.#settings.clear();
  }

  take(node: Node, { scope, action, role, allow }: Control & { kind: 'setPerm' }): void {
    push(this.#settings, keyOf(scope, action, role), { node, allow });
  }

  /**
   * Whether the author of a delta, in the role in which he stands, may do this, as of its past: in the workspace, or in a tool of a kind. What is
   * said of the one tool goes before what is said of all of its kind.
   */
  can(node: Node, role: Role, scope: Scope, action: Action, tool?: ToolId): boolean {
    if (role === Role.manager) return true;
    if (this.#settings.size === 0) return allowedByDefault(scope, action, role);
    const widely = () => allows(this.#of(scope, action, role), node, () => allowedByDefault(scope, action, role));
    return tool === undefined ? widely() : allows(this.#of({ tool }, action, role), node, widely);
  }

  /** What a role may do by all that is here, and the settings that say so: of a scope, or of one tool of a kind. */
  allowance(scope: Scope, action: Action, role: Role, tool?: ToolId): Allowance {
    const isManager = role === Role.manager;
    const otherwise =
      tool === undefined ? allowedByDefault(scope, action, role) : this.allowance(scope, action, role).allowed;
    const setting = maximal(this.#of(tool === undefined ? scope : { tool }, action, role));
    const set = setting.length === 0 ? otherwise : setting.every((s) => s.allow ?? otherwise);
    return {
      ...{ allowed: isManager || set, otherwise },
      isOwn: setting.some(({ allow }) => allow !== undefined),
      setBy: setting.map(({ node }) => node),
    };
  }

  #of(scope: SettingScope, action: Action, role: Role): readonly Setting[] {
    return this.#settings.get(keyOf(scope, action, role)) ?? NONE;
  }
}

const NONE: readonly Setting[] = [];

/** No two of them alike, whatever words somebody has thought of: of a tool its id, which has one length, of all else its own length in front. */
function keyOf(scope: SettingScope, action: string, role: Role): string {
  return typeof scope === 'string' ? `${role} ${scope.length} ${scope}${action}` : `${role} # ${scope.tool}${action}`;
}

/**
 * Of one scope: the maximal settings in past(d), and without any what the wider scope says. What takes the right away and is
 * concurrent with d counts as though d had seen it: whoever may not do something in the end, by settings whose authors had not
 * seen d, does not get round that by leaving them out of its past. So a denial for a kind does not reach what is concurrent in a tool of
 * which something else is said in past(d): it would not reach it afterwards either.
 */
function allows(settings: readonly Setting[], node: Node, wider: () => boolean): boolean {
  if (settings.length === 0) return wider();
  const before = maximal(settings.filter((s) => inPast(s.node, node)));
  const meanwhile = settings.filter((s) => !s.allow && !inPast(s.node, node) && !inPast(node, s.node));
  if (before.length === 0 && !wider()) return false;
  return [...before, ...meanwhile].every((s) => s.allow ?? wider());
}

/** Those that no later one replaces. */
function maximal(settings: readonly Setting[]): readonly Setting[] {
  return settings.filter((s) => !settings.some((later) => inPast(s.node, later.node)));
}
