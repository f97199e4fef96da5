/** All set-returning functions by name. */
import { arraySetFunctions } from './array-sets.js';
import { inputSetFunctions } from './input.js';
import { jsonSetFunctions } from './json-sets.js';
import { jsonpathSets } from './jsonpath.js';
import { notificationSetFunctions } from './notification.js';
import { regexSetFunctions } from './regex.js';
import { seriesFunctions } from './series.js';
import { slowStatementFunctions } from './slow-statements.js';
import { systemSetFunctions } from './system.js';
import type { SetDefinition } from './set-definition.js';

export const allSets: readonly SetDefinition[] = [
  ...seriesFunctions,
  ...regexSetFunctions,
  ...arraySetFunctions,
  ...inputSetFunctions,
  ...jsonSetFunctions,
  ...jsonpathSets,
  ...slowStatementFunctions,
  ...systemSetFunctions,
  ...notificationSetFunctions,
];

const sets = new Map<string, SetDefinition[]>();
for (const definition of allSets) {
  const list = sets.get(definition.name);
  if (list === undefined) sets.set(definition.name, [definition]);
  else list.push(definition);
}

export function setsNamed(name: string): readonly SetDefinition[] {
  return sets.get(name) ?? [];
}
