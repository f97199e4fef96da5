/** What a compiled plan holds in memory, for the bound of the plan cache. */
import { mapInputs, type Plan, visitExpressions } from '../rewrite/index.js';
import { typeNamed } from '../types/index.js';

/** Estimates, bytes: a statement, a node of its plan and an expression, with their closures. */
const statementBytes = 2000;
const nodeBytes = 1500;
const expressionBytes = 250;

/** Approximate bytes. */
export function sizeOfPlan(plan: Plan): number {
  let bytes = statementBytes + nodeBytes * countNodes(plan);
  visitExpressions(plan, (part) => {
    bytes += expressionBytes;
    if (part.kind === 'constant' && part.value !== null) {
      bytes += typeNamed(part.type.name).sizeOf(part.value);
    }
  });
  return bytes;
}

function countNodes(plan: Plan): number {
  let nodes = 1;
  mapInputs(plan, (input) => {
    nodes += countNodes(input);
    return input;
  });
  return nodes;
}
