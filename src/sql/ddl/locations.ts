/** Where an expression of the syntax tree stands. */
import type { ast } from '../parse/index.js';

/** The byte offset of the leftmost of its parts that say where they are. */
export function firstLocation(node: ast.Node): number {
  let first = Number.POSITIVE_INFINITY;
  const visit = (part: unknown): void => {
    if (Array.isArray(part)) for (const element of part) visit(element);
    else if (typeof part === 'object' && part !== null) {
      for (const [key, value] of Object.entries(part)) {
        if (key !== 'location') visit(value);
        else if (typeof value === 'number' && value >= 0) first = Math.min(first, value);
      }
    }
  };
  visit(node);
  return first;
}
