/** System relations that are views over others: their texts. */
import { must } from '../../../base/assert.js';
import { relationFacts } from '../facts.js';
import type { SystemColumn } from '../relation.js';

export interface SystemViewText {
  readonly oid: number;
  readonly schema: string;
  readonly name: string;
  readonly columns: readonly SystemColumn[];
  /** In SQL, over relations of pg_catalog. */
  readonly query: string;
}

const texts: Readonly<Record<string, Readonly<Record<string, string>>>> = {};

const views = new Map<string, SystemViewText>();
for (const [schema, queries] of Object.entries(texts)) {
  for (const [name, query] of Object.entries(queries)) {
    const facts = relationFacts.find((one) => one.schema === schema && one.name === name);
    const { oid, columns } = must(facts, `a view ${schema}.${name}`);
    views.set(`${schema}.${name}`, { oid, schema, name, columns, query });
  }
}

export function systemViewNamed(schema: string, name: string): SystemViewText | undefined {
  return views.get(`${schema}.${name}`);
}

export function isSystemView({ schema, name }: { schema: string; name: string }): boolean {
  return views.has(`${schema}.${name}`);
}
