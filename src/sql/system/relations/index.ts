/** All system relations by name. */
import { emptyRelation } from '../define.js';
import { relationFacts } from '../facts.js';
import type { SystemRelation } from '../relation.js';
import { activityRelation, sessionsRelation } from './activity.js';
import { attributeRelation } from './attribute.js';
import { apiTokensRelation } from './api-tokens.js';
import { auditRelation } from './audit.js';
import { classRelation } from './class.js';
import {
  dependRelation,
  descriptionRelation,
  rewriteRelation,
  sharedDescriptionRelation,
} from './comments.js';
import { constraintRelation } from './constraint.js';
import {
  collationRelation,
  databaseRelation,
  defaultAclRelation,
  membersRelation,
  roleSettingsRelation,
  rolesRelation,
  tablespaceRelation,
} from './database.js';
import { locksRelation } from './locks.js';
import { namespaceRelation } from './namespace.js';
import {
  castRelation,
  classesRelation,
  familiesRelation,
  familyFunctionsRelation,
  familyOperatorsRelation,
  languageRelation,
  methodsRelation,
  operatorRelation,
} from './operators.js';
import {
  defaultRelation,
  enumRelation,
  indexRelation,
  inheritsRelation,
  partitionedRelation,
  sequenceRelation,
} from './parts.js';
import { cursorsRelation, preparedRelation } from './own.js';
import { aggregateRelation, procRelation } from './proc.js';
import { settingsRelation } from './settings.js';
import { isSystemView } from '../views/index.js';
import { typeRelation } from './type.js';

const filled: readonly SystemRelation[] = [
  cursorsRelation,
  preparedRelation,
  activityRelation,
  apiTokensRelation,
  auditRelation,
  sessionsRelation,
  aggregateRelation,
  attributeRelation,
  castRelation,
  classRelation,
  classesRelation,
  collationRelation,
  constraintRelation,
  databaseRelation,
  defaultAclRelation,
  defaultRelation,
  dependRelation,
  descriptionRelation,
  enumRelation,
  familiesRelation,
  familyFunctionsRelation,
  familyOperatorsRelation,
  indexRelation,
  inheritsRelation,
  languageRelation,
  locksRelation,
  membersRelation,
  methodsRelation,
  namespaceRelation,
  operatorRelation,
  partitionedRelation,
  procRelation,
  rewriteRelation,
  roleSettingsRelation,
  rolesRelation,
  sequenceRelation,
  settingsRelation,
  sharedDescriptionRelation,
  tablespaceRelation,
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
