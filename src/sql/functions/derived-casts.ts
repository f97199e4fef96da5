/** Casts between types made of other types: arrays by their elements, records by their fields, domains. */
import { must } from '../../base/assert.js';
import { raise } from '../../base/errors.js';
import { ArrayValue, type FunctionContext, RecordValue } from '../types/index.js';
import type { RecordShape, Type, TypeName, Value } from '../types/index.js';
import { checkDomain, elementTypeName, printType, typeNamed } from '../types/index.js';
import type { Cast } from './cast-table.js';
import { castPath } from './casts.js';
import type { CastContext, Implementation } from './function.js';

const relabel: Cast = { context: 'implicit', implementation: undefined };

/** Undefined where neither type is made of others in a way that says how. No domains here. */
export function derivedCast(
  source: TypeName,
  target: TypeName,
  context: CastContext,
): Cast | undefined {
  const from = elementTypeName(source);
  const to = elementTypeName(target);
  if (from !== undefined && to !== undefined) return arrayCast(from, to, context);
  const isFromRecord = source === 'record' || typeNamed(source).form?.kind === 'composite';
  if (!isFromRecord) return undefined;
  if (target === 'record') return relabel;
  const { form } = typeNamed(target);
  return source === 'record' && form?.kind === 'composite' ? recordCast(form.shape) : undefined;
}

function arrayCast(from: TypeName, to: TypeName, context: CastContext): Cast | undefined {
  const element = castPath(from, to, context);
  if (element === undefined) return undefined;
  const target = typeNamed(to);
  if (target.form?.kind === 'domain' && from !== to) return checkedArrayCast(element, target);
  if (element.implementation === undefined) return element;
  const { implementation: one } = element;
  const implementation =
    element.usesContext === true
      ? (functions: FunctionContext, array: ArrayValue) =>
          array.map((value) => one(functions, value))
      : (array: ArrayValue) => array.map((value) => one(value));
  return { ...element, implementation: implementation as Implementation };
}

/** To an array of a domain: each element is checked, NULLs too. */
function checkedArrayCast(element: Cast, domain: Type): Cast {
  const implementation = (functions: FunctionContext, array: ArrayValue): ArrayValue => {
    const elements = array.elements.map((value) => {
      const converted = value === null ? null : convert(element, functions, value);
      checkDomain(functions, domain, converted);
      return converted;
    });
    return new ArrayValue(array.dimensions, array.lowerBounds, elements);
  };
  return {
    context: element.context,
    implementation: implementation as unknown as Implementation,
    usesContext: true,
    stable: true,
  };
}

function convert(cast: Cast, functions: FunctionContext, value: Value): Value {
  if (cast.implementation === undefined) return value;
  return cast.usesContext === true
    ? cast.implementation(functions, value)
    : cast.implementation(value);
}

/** Field by field, by casts that assignments may use. Which, each record's own shape says. */
function recordCast(target: RecordShape): Cast {
  const known = new WeakMap<RecordShape, readonly Cast[]>();
  const implementation = (functions: FunctionContext, record: RecordValue): RecordValue => {
    let casts = known.get(record.shape);
    if (casts === undefined) {
      casts = castsBetween(record.shape, target);
      known.set(record.shape, casts);
    }
    const values = casts.map((cast, i) => {
      const value = record.values[i] ?? null;
      const converted = value === null ? null : convert(cast, functions, value);
      checkDomain(functions, typeNamed(must(target.fields[i], 'as many fields').type), converted);
      return converted;
    });
    return new RecordValue(target, values);
  };
  return {
    context: 'implicit',
    implementation: implementation as unknown as Implementation,
    usesContext: true,
    stable: true,
  };
}

function castsBetween(source: RecordShape, target: RecordShape): readonly Cast[] {
  if (source.fields.length !== target.fields.length) {
    const more = source.fields.length > target.fields.length;
    raise('cannot_coerce', 'cannot cast type record to a composite type', {
      detail: `Input has too ${more ? 'many' : 'few'} columns.`,
    });
  }
  return source.fields.map(({ type }, i) => {
    const wanted = must(target.fields[i], 'as many fields').type;
    const cast = castPath(type, wanted, 'assignment');
    if (cast !== undefined) return cast;
    return raise('cannot_coerce', 'cannot cast type record to a composite type', {
      detail: `Cannot cast type ${printType(type, -1)} to ${printType(wanted, -1)} in column ${i + 1}.`,
    });
  });
}

/** Fits the elements of an array as `fit` fits one of them. */
export function fitElements(fit: (value: Value) => Value): (value: Value) => Value {
  return (array) => (array as ArrayValue).map(fit);
}
