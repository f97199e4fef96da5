/** A RIGHT JOIN b is b LEFT JOIN a: the other rules and the executor know left joins only. */
import { rewriteUpwards } from './plan.js';
import type { Rule } from './rule.js';

export const rightToLeftJoin: Rule = {
  name: 'rightToLeftJoin',
  apply: (plan) =>
    rewriteUpwards(plan, (node) =>
      node.kind === 'join' && node.join === 'right'
        ? { ...node, join: 'left', left: node.right, right: node.left }
        : node,
    ),
};
