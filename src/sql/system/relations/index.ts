/** All system relations by name. */
import { emptyRelation } from '../define.js';
import { relationFacts } from '../facts.js';
import type { SystemRelation } from '../relation.js';
import { attributeRelation } from './attribute.js';
import { classRelation } from './class.js';
import { namespaceRelation } from './namespace.js';
import { settingsRelation } from './settings.js';
import { isSystemView } from '../views/index.js';
import { typeRelation } from './type.js';

const filled: readonly SystemRelation[] = [
  attributeRelation,
  classRelation,
  namespaceRelation,
  settingsRelation,
  typeRelation,
];

function keyOf({ schema, name }: { readonly schema: string; readonly name: string }): string {
  return `${schema}.${name}`;
}

const relations = new Map(filled.map((relation) => [keyOf(relation), relation]));
for (const facts of relationFacts) {
  if (!relations.has(keyOf(facts)) && !isSystemView(facts))
    relations.set(keyOf(facts), emptyRelation(facts));
}

export function systemRelationNamed(schema: string, name: string): SystemRelation | undefined {
  return relations.get(keyOf({ schema, name }));
}
