/** Parameters of Bind, as sessions take them. */
import { DatabaseError, raise } from '../../base/errors.js';
import { binaryCodec } from '../../sql/copy/index.js';
import type { ParameterValue } from '../../sql/session/protocol.js';
import {
  baseTypeName,
  type FunctionContext,
  type TypeName,
  readUtf8,
  typeNamed,
  typeOfOid,
  type Value,
} from '../../sql/types/index.js';
import { printContext } from '../answers.js';
import { type BindMessage, ofParameter, type WireParameter } from './messages.js';
import type { WireStatement } from './statement.js';

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

/** Longer texts are read when they are used: reading them twice costs more than the earlier error is worth. */
const textBytesMax = 8192;

/** What a text becomes on its way to the session; raises what reading it raises. */
export type ReadText = (text: string, context: FunctionContext) => ParameterValue;

/**
 * How parameters of a type are read from texts. Reading depends on nothing that the session alone has,
 * for the types where it does not find out first: registered names, records, checks of domains.
 */
export function textReader(typeName: string): ReadText {
  const base = baseTypeName(typeName as TypeName);
  const { parse } = typeNamed(base);
  switch (base) {
    case 'int2':
    case 'int4':
    case 'int8':
    case 'float8':
    case 'bool':
      return (text, context) => parse(text, -1, context) as ParameterValue;
    case 'text':
    case 'varchar':
    case 'bpchar':
    case 'name':
    case 'unknown':
      return (text) => text;
    default:
      if (!readsAlone(base)) return (text) => text;
      return (text, context) => {
        if (text.length <= textBytesMax) parse(text, -1, context);
        return text;
      };
  }
}

function readsAlone(base: string): boolean {
  const { form } = typeNamed(base);
  if (form?.kind === 'array') return form.element !== 'record' && readsAlone(form.element);
  if (form !== undefined) return form.kind === 'enum';
  return base !== 'record' && !base.startsWith('reg');
}

/**
 * Raises 08P01 unless there is one for each type; 22P03, 22021 and types' own errors for wrong ones.
 * Texts are read in `context`, as the session will.
 */
export function boundParameters(
  { portal, parameters: given }: BindMessage,
  { name, parameterTypes: types, textReaders }: WireStatement,
  context: FunctionContext,
): readonly ParameterValue[] {
  if (given.length !== types.length) {
    const text =
      `bind message supplies ${given.length} parameters, but prepared statement ` +
      `"${name}" requires ${types.length}`;
    raise('protocol_violation', text);
  }
  const values: ParameterValue[] = [];
  for (let i = 0; i < given.length; i += 1) {
    const { format, bytes } = given[i] as WireParameter;
    if (bytes === null) values.push(null);
    else if (format === 'binary') values.push(readBinary(portal, i, bytes, types[i] ?? 'text'));
    else values.push(readText(portal, i, bytes, textReaders[i] as ReadText, context));
  }
  return values;
}

function readText(
  portal: string,
  index: number,
  bytes: Buffer,
  read: ReadText,
  context: FunctionContext,
): ParameterValue {
  let shown = '';
  try {
    const text = readUtf8(bytes);
    // As PostgreSQL, which shows no values in errors unless it is told to.
    shown = text === '' ? " = ''" : " = '...'";
    return read(text, context);
  } catch (error) {
    throw ofParameter(error, portal, index, shown);
  }
}

function readBinary(
  portal: string,
  index: number,
  bytes: Buffer,
  typeName: string,
): ParameterValue {
  try {
    return fromBinary(bytes, typeName);
  } catch (error) {
    throw ofParameter(numbered(error, index), portal, index);
  }
}

/** Bytes behind the value are the message's fault, not the type's. */
function numbered(error: unknown, index: number): unknown {
  if (!(error instanceof DatabaseError) || error.kind !== 'invalid_binary_representation') {
    return error;
  }
  if (error.message !== 'incorrect binary data format') return error;
  const text = `${error.message} in bind parameter ${index + 1}`;
  return new DatabaseError(error.kind, text, error.details);
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
