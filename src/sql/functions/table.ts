/** All scalar functions and operators by name. */
import { advisoryLockFunctions } from './advisory-lock.js';
import { backendFunctions, ownBackendFunctions } from './backend.js';
import { arrayFunctions } from './array.js';
import { bitStringFunctions } from './bit-string.js';
import { bucketFunctions } from './bucket.js';
import { byteaPartFunctions } from './bytea-parts.js';
import { byteaFunctions } from './bytea.js';
import { comparisonFunctions } from './comparison.js';
import { datetimeMakeFunctions } from './datetime-make.js';
import { datetimeFunctions } from './datetime.js';
import type { Definition } from './definition.js';
import { degreeFunctions } from './degrees.js';
import { encodingFunctions } from './encoding.js';
import { enumFunctions } from './enum.js';
import { errorFunctions } from './error-function.js';
import { floatFunctions } from './float.js';
import { fromCharFunctions } from './from-char-datetime.js';
import { inputFunctions } from './input.js';
import { integerFunctions } from './integer.js';
import { jsonFunctions } from './json.js';
import { notificationFunctions } from './notification.js';
import { numericFunctions } from './numeric.js';
import { regexFunctions } from './regex.js';
import { sequenceFunctions } from './sequence.js';
import { sessionFunctions } from './session.js';
import { settingFunctions } from './settings.js';
import { systemFunctions } from './system.js';
import { textFormatFunctions } from './text-format.js';
import { textFunctions } from './text.js';
import { toCharFunctions } from './to-char-datetime.js';
import { toCharNumberFunctions } from './to-char-number.js';
import { toNumberFunctions } from './to-number.js';
import { zonedTimeFunctions } from './zoned-time.js';

export const allDefinitions: readonly Definition[] = [
  ...comparisonFunctions,
  ...arrayFunctions,
  ...enumFunctions,
  ...bitStringFunctions,
  ...inputFunctions,
  ...bucketFunctions,
  ...degreeFunctions,
  ...errorFunctions,
  ...zonedTimeFunctions,
  ...integerFunctions,
  ...floatFunctions,
  ...numericFunctions,
  ...textFunctions,
  ...regexFunctions,
  ...textFormatFunctions,
  ...byteaFunctions,
  ...byteaPartFunctions,
  ...encodingFunctions,
  ...datetimeFunctions,
  ...datetimeMakeFunctions,
  ...settingFunctions,
  ...jsonFunctions,
  ...systemFunctions,
  ...toCharFunctions,
  ...fromCharFunctions,
  ...toCharNumberFunctions,
  ...toNumberFunctions,
  ...sequenceFunctions,
  ...sessionFunctions,
  ...advisoryLockFunctions,
  ...backendFunctions,
  ...ownBackendFunctions,
  ...notificationFunctions,
];

const functions = new Map<string, Definition[]>();
const operators = new Map<string, Definition[]>();
for (const definition of allDefinitions) {
  const byName = definition.form === 'function' ? functions : operators;
  const list = byName.get(definition.name);
  if (list === undefined) byName.set(definition.name, [definition]);
  else list.push(definition);
}

export function functionsNamed(name: string): readonly Definition[] {
  return functions.get(name) ?? [];
}

export function operatorsNamed(name: string): readonly Definition[] {
  return operators.get(name) ?? [];
}
