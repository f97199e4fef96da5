/** Parameters of Bind, as sessions take them. */
import { raise } from '../../base/errors.js';
import { binaryCodec } from '../../sql/copy/index.js';
import type { ParameterValue } from '../../sql/session/protocol.js';
import { typeNamed, typeOfOid, type Value } from '../../sql/types/index.js';
import { printContext } from '../answers.js';
import type { WireParameter } from './messages.js';
import { textOf } from './reader.js';

/** Read and printed in a form that does not depend on settings. */
const plain = printContext('UTC');
/** pg_type's `unknown`: as if no type were stated. */
const unknownOid = 705;

/** The names of types that Parse states, null where they are to be inferred; raises 42704. */
export function statedTypes(oids: readonly number[]): readonly (string | null)[] {
  return oids.map((oid) => {
    if (oid === 0 || oid === unknownOid) return null;
    const type = typeOfOid(oid);
    return type?.name ?? raise('undefined_object', `type with OID ${oid} does not exist`);
  });
}

/** Raises 08P01 unless there is one for each type; 22P03, 22021 and types' own errors for wrong ones. */
export function boundParameters(
  statement: string,
  given: readonly WireParameter[],
  types: readonly string[],
): readonly ParameterValue[] {
  if (given.length !== types.length) {
    const text =
      `bind message supplies ${given.length} parameters, but prepared statement ` +
      `"${statement}" requires ${types.length}`;
    raise('protocol_violation', text);
  }
  return given.map(({ format, bytes }, i) => {
    if (bytes === null) return null;
    return format === 'text' ? textOf(bytes) : fromBinary(bytes, types[i] ?? 'text');
  });
}

function fromBinary(bytes: Buffer, typeName: string): ParameterValue {
  const value = binaryCodec(typeName).read(bytes, plain);
  switch (typeName) {
    case 'bool':
    case 'int2':
    case 'int4':
    case 'int8':
    case 'float8':
    case 'text':
    case 'varchar':
    case 'bytea':
      return value as ParameterValue;
    default:
      return printed(value, typeName);
  }
}

function printed(value: Value, typeName: string): ParameterValue {
  return value === null ? null : typeNamed(typeName).print(value, plain);
}
