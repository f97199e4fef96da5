/**
 * Functions, operators, casts and aggregates with PostgreSQL's rules for choosing among them
 * (chapter 10 of its manual). Guarantees its result types, values, error codes and texts. Pure: the
 * statement's time, random numbers and settings come from a FunctionContext. Knows no tables and no
 * plans; AND, OR, NOT, CASE, COALESCE, NULLIF, GREATEST and LEAST are expressions of the plan.
 *
 * A binder asks `resolveOperator`, `resolveFunction` or `resolveCommonType` with the types of its
 * arguments (`unknown` for a bare literal, NULL or an undetermined parameter), then coerces each
 * argument to the parameter type named: a literal by `readLiteral`, anything else by `findCoercion`.
 */
export type { FunctionContext } from '../types/index.js';
export { askingFunctions } from './asking.js';
export { findCoercion, readLiteral } from './casts.js';
export { resolveCommonType } from './common-type.js';
export type {
  AggregateFunction,
  AggregateState,
  CastContext,
  Coercion,
  Comparison,
  Implementation,
  InRange,
  ResolvedCall,
  ScalarFunction,
  SetColumn,
  SetFunction,
  Volatility,
  WindowFunction,
  WindowPlace,
} from './function.js';
export { rangesOf } from './window-range.js';
export { resolveFunction, resolveOperator, resolveSqlValue } from './resolve.js';
export {
  arrayConstructor,
  arraySlice,
  arraySubscript,
  overElements,
  type SliceBounds,
} from './array-construct.js';
export { fieldOf, recordIsNull, rowConstructor, rowOrNull } from './record-construct.js';
export { elementAssignment, fieldAssignment, sliceAssignment } from './array-assign.js';
export { resolveVariadic } from './variadic.js';
export {
  isJson,
  jsonBytes,
  jsonConstructor,
  type JsonItemKind,
  jsonOfBytes,
} from './json-construct.js';
export { quotedText, quoteIdentifier, quoteLiteral } from './text-format.js';
export { hasOperator, type ListedFunction, listedFunctions } from './listed.js';
