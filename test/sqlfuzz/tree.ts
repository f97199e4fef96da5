/**
 * Generated SQL as a tree: each node knows simpler nodes that may stand in its place, so that a
 * statement that fails is made small without knowing the grammar again.
 */
export interface Tree {
  readonly parts: readonly (string | Tree)[];
  /** What may stand in the place of this node: of the same type and no harder to run. */
  readonly simpler: readonly Tree[];
}

export function tree(parts: readonly (string | Tree)[], simpler: readonly Tree[] = []): Tree {
  return { parts, simpler };
}

/** `sql\`...\`` with trees and texts in between; trees of the holes are no replacements. */
export function sql(texts: TemplateStringsArray, ...holes: readonly (string | Tree)[]): Tree {
  const parts: (string | Tree)[] = [];
  texts.forEach((text, i) => {
    parts.push(text);
    const hole = holes[i];
    if (hole !== undefined) parts.push(hole);
  });
  return tree(parts);
}

export function list(items: readonly (string | Tree)[], separator = ', '): Tree {
  return tree(items.flatMap((item, i) => (i === 0 ? [item] : [separator, item])));
}

/** A clause that may be left out. */
export function optional(clause: Tree): Tree {
  return { ...clause, simpler: [tree(['']), ...clause.simpler] };
}

export function render(node: Tree): string {
  return node.parts.map((part) => (typeof part === 'string' ? part : render(part))).join('');
}

/** All trees that differ from `node` in one place, which is simpler; the largest cuts first. */
export function* simplifications(node: Tree): Generator<Tree> {
  yield* node.simpler;
  for (const [i, part] of node.parts.entries()) {
    if (typeof part === 'string') continue;
    for (const simplified of simplifications(part)) {
      yield { parts: node.parts.with(i, simplified), simpler: node.simpler };
    }
  }
}

/** The smallest tree found of which `fails` still holds, within `attempts` tries. */
export async function shrink(
  node: Tree,
  fails: (candidate: Tree) => Promise<boolean>,
  attempts: number,
): Promise<Tree> {
  let smallest = node;
  let left = attempts;
  search: while (left > 0) {
    for (const candidate of simplifications(smallest)) {
      left -= 1;
      if (left <= 0) break search;
      if (await fails(candidate)) {
        smallest = candidate;
        continue search;
      }
    }
    break;
  }
  return smallest;
}
