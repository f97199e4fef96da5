/** The name that expressions have a user's type by: it says all that the type is. */
import { unreachable } from '../../base/assert.js';
import { nameOfUserType, type TypeName } from '../types/index.js';
import type { TableDescriptor, TypeDescriptor } from './descriptor.js';
import { firstOid } from './built-in.js';
import { firstTemporaryId } from './rows.js';

/** Arrays of a user's types have OIDs as far from those of their elements. */
const arrayOids = 0x4000_0000;

/** The OID of the arrays of a user's type. */
export function arrayOidOf(oid: number): number {
  // Objects of a session alone have the highest OIDs that there are.
  return oid >= firstTemporaryId ? oid - arrayOids : oid + arrayOids;
}

/** The type that arrays of this OID have elements of, if they are a user's. */
export function elementOidOf(oid: number): number {
  const above = oid - arrayOids;
  return above >= firstOid ? above : oid + arrayOids;
}

export function typeNameOf({ object, schema, name, definition }: TypeDescriptor): TypeName {
  const oid = object + firstOid;
  const common = { oid, arrayOid: arrayOidOf(oid), schema, name };
  switch (definition.form) {
    case 'enum':
      return nameOfUserType({ ...common, kind: 'enum', labels: definition.labels });
    case 'domain':
      return nameOfUserType({
        ...common,
        kind: 'domain',
        base: definition.base as TypeName,
        modifier: definition.baseModifier,
        notNull: definition.notNull,
        checks: definition.checks.map((check) => ({ name: check.name, sql: check.expression })),
      });
    case 'composite': {
      const fields = definition.attributes.map((attribute) => ({
        name: attribute.name,
        type: attribute.type as TypeName,
        modifier: attribute.typeModifier,
      }));
      return nameOfUserType({ ...common, kind: 'composite', shape: { fields } });
    }
    default:
      return unreachable(definition);
  }
}

/** The type of the rows of a table as values. */
export function rowTypeNameOf({ object, schema, name, columns }: TableDescriptor): TypeName {
  const oid = object + firstOid;
  const fields = columns.map((column) => ({
    name: column.name,
    type: column.type as TypeName,
    modifier: column.typeModifier,
  }));
  const shape = { fields };
  return nameOfUserType({ kind: 'composite', oid, arrayOid: arrayOidOf(oid), schema, name, shape });
}
