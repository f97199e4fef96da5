/** The name that expressions have a user's type by: it says all that the type is. */
import { unreachable } from '../../base/assert.js';
import type { TypeDescriptor } from './descriptor.js';
import { firstOid } from './rows.js';

/**
 * `enum(oid,schema,name,labels)`, `domain(...)` or `composite(...)`: what `typeNamed` reads. The parts are
 * JSON, so that the name is the same for the same type.
 */
export function typeNameOf({ object, schema, name, definition }: TypeDescriptor): string {
  const oid = object + firstOid;
  const parts = [oid, schema, name, ...partsOf(definition)].map((part) => JSON.stringify(part));
  return `${definition.form}(${parts.join(',')})`;
}

function partsOf(definition: TypeDescriptor['definition']): unknown[] {
  switch (definition.form) {
    case 'enum':
      return [definition.labels.map(({ id, label }) => [id, label])];
    case 'domain':
      return [definition.base, definition.baseModifier];
    case 'composite':
      return [definition.attributes.map((one) => [one.name, one.type, one.typeModifier])];
    default:
      return unreachable(definition);
  }
}
