/** System relations that are views over others: their texts. */
import { must } from '../../../base/assert.js';
import { catalogSchema, informationSchema, relationFacts } from '../facts.js';
import type { SystemColumn } from '../relation.js';
import { catalogViews } from './catalog.js';
import { informationViews } from './information.js';

export interface SystemViewText {
  readonly oid: number;
  readonly schema: string;
  readonly name: string;
  readonly columns: readonly SystemColumn[];
  /** In SQL, over relations of pg_catalog. */
  readonly query: string;
}

const texts: Readonly<Record<string, Readonly<Record<string, string>>>> = {
  [catalogSchema]: catalogViews,
  [informationSchema]: informationViews,
};

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

const byOid = new Map([...views.values()].map((view) => [view.oid, view]));

export function systemViewByOid(oid: number): SystemViewText | undefined {
  return byOid.get(oid);
}

export function isSystemView({ schema, name }: { schema: string; name: string }): boolean {
  return views.has(`${schema}.${name}`);
}
