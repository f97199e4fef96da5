/** Which objects an object cannot be without. */
import { unreachable } from '../../base/assert.js';
import type { ObjectId } from '../../base/ids.js';
import type { Descriptor, TableDescriptor, TypeDefinition } from './descriptor.js';
import { objectOfType } from './rows.js';

/** Each once, itself never among them. */
export function dependenciesOf(descriptor: Descriptor): readonly ObjectId[] {
  const found = new Set(needsOf(descriptor));
  found.delete(descriptor.object);
  return [...found];
}

function needsOf(descriptor: Descriptor): ObjectId[] {
  switch (descriptor.kind) {
    case 'table':
      return ofTable(descriptor);
    case 'sequence':
      return descriptor.ownedBy === undefined ? [] : [descriptor.ownedBy.table];
    case 'index':
      return [descriptor.table];
    case 'view':
      return [
        ...descriptor.references.map(({ object }) => object),
        ...typesOf(descriptor.columns.map(({ type }) => type)),
      ];
    case 'function':
      return typesOf([descriptor.returns, ...descriptor.parameters.map(({ type }) => type)]);
    case 'type':
      return typesOf(partsOf(descriptor.definition));
    case 'schema':
      return [];
    default:
      return unreachable(descriptor);
  }
}

function ofTable(table: TableDescriptor): ObjectId[] {
  return [
    ...typesOf(table.columns.map(({ type }) => type)),
    ...table.foreignKeys.map(({ references }) => references),
    ...table.uses,
    ...(table.partitionOf === undefined ? [] : [table.partitionOf.parent]),
    ...table.columns.flatMap(({ default: given }) =>
      given?.kind === 'sequence' ? [given.sequence.object] : [],
    ),
  ];
}

function partsOf(definition: TypeDefinition): string[] {
  switch (definition.form) {
    case 'enum':
      return [];
    case 'domain':
      return [definition.base];
    case 'composite':
      return definition.attributes.map(({ type }) => type);
    default:
      return unreachable(definition);
  }
}

function typesOf(names: readonly string[]): ObjectId[] {
  return names.flatMap((name) => objectOfType(name) ?? []);
}
