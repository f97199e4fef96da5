/** pg_input_is_valid() and pg_input_error_info(): whether a type reads a text. */
import { DatabaseError, errorCatalogue, raise } from '../../base/errors.js';
import type { FunctionContext, Value } from '../types/index.js';
import { typeOfText } from '../types/type-text.js';
import { readLiteral } from './casts.js';
import { define, type Definition } from './definition.js';
import { defineSet, type SetDefinition } from './set-definition.js';

/** The error that reading raises; undefined for a valid text. */
function errorOf(
  context: FunctionContext,
  text: string,
  typeText: string,
): DatabaseError | undefined {
  const type = typeOfText(typeText) ?? context.names?.type(typeText);
  if (type === undefined) {
    raise('undefined_object', `type "${typeText}" does not exist`);
  }
  try {
    readLiteral(text, type.name, type.modifier, 'assignment', context);
    return undefined;
  } catch (error) {
    if (error instanceof DatabaseError) return error;
    throw error;
  }
}

export const inputFunctions: readonly Definition[] = [
  define(
    'pg_input_is_valid(text, text): bool',
    (context: FunctionContext, text: string, type: string) =>
      errorOf(context, text, type) === undefined,
    { usesContext: true, volatility: 'stable' },
  ),
];

export const inputSetFunctions: readonly SetDefinition[] = [
  defineSet(
    'pg_input_error_info(text, text): setof (message text, detail text, hint text, sql_error_code text)',
    ([text, type], context) => {
      const error = errorOf(context, text as string, type as string);
      if (error === undefined) return [[null, null, null, null]];
      const { detail = null, hint = null } = error.details;
      const row: Value[] = [error.message, detail, hint, errorCatalogue[error.kind].sqlstate];
      return [row];
    },
    { volatility: 'stable' },
  ),
];
