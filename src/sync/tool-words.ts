/**
 * The accepted words about tools. A tool is what the most senior (A1) of those made it who have added it; who deletes one deletes it for all who have added it
 * without having seen that. Its id is chosen at random, so whoever adds it a second time, as if he had not heard of it, means to make another of it, and may claim any height.
 */
import { push } from '../base/group.ts';
import type { ToolId } from '../base/ids.ts';
import type { Authority } from './authority.ts';
import { compareNodes, inPast, type Node } from './graph.ts';
import { compareKeys, type Key } from './seniority.ts';

interface Addition {
  readonly node: Node;
  readonly key: Key;
  readonly kind: string;
}

export class ToolWords {
  /** The most senior first. */
  readonly #additions = new Map<ToolId, Addition[]>();
  readonly #deletions = new Map<ToolId, Node[]>();

  /** As they stand now: of others it is made anew. */
  constructor(authority: Authority) {
    for (const one of authority.accepted) {
      const { node, control } = one;
      if (control.kind === 'addTool')
        push(this.#additions, control.tool, { node, key: authority.keyOf(one), kind: control.toolKind });
      else if (control.kind === 'deleteTool') push(this.#deletions, control.tool, node);
    }
    for (const additions of this.#additions.values())
      additions.sort((a, b) => compareKeys(a.key, b.key) || compareNodes(a.node, b.node));
  }

  /** Every tool that was ever added. */
  ever(): Iterable<ToolId> {
    return this.#additions.keys();
  }

  /** Every kind that it was added as. */
  kindsOf(tool: ToolId): ReadonlySet<string> {
    return new Set((this.#additions.get(tool) ?? []).map(({ kind }) => kind));
  }

  /** By what a tool is there, for whoever has seen these words; undefined where it is not. */
  additionSeen(tool: ToolId, hasSeen: (word: Node) => boolean = () => true): Addition | undefined {
    const deletions = (this.#deletions.get(tool) ?? []).filter(hasSeen);
    const stands = ({ node }: Addition) => hasSeen(node) && deletions.every((deletion) => inPast(deletion, node));
    return this.#additions.get(tool)?.find(stands);
  }
}
