/**
 * Values of SQL in JavaScript. NULL is `null` for every type.
 *
 * | type                | value                                                        |
 * | ------------------- | ------------------------------------------------------------ |
 * | bool                | boolean                                                      |
 * | int2, int4, oid     | number, whole                                                |
 * | int8                | bigint                                                       |
 * | float4, float8      | number (float4 rounded by Math.fround)                       |
 * | numeric             | {@link Numeric}                                              |
 * | text, varchar, char, name, unknown | string, well-formed, without NUL              |
 * | bytea               | Uint8Array                                                   |
 * | date                | number: days since 2000-01-01; Infinity and -Infinity        |
 * | time                | number: microseconds since midnight, up to 24:00             |
 * | timestamp(tz)       | bigint: microseconds since 2000-01-01 (UTC for timestamptz)   |
 * | interval            | {@link Interval}                                             |
 * | json                | string: the text as it was given                             |
 * | jsonb               | {@link Jsonb}                                                 |
 * | an array            | {@link ArrayValue}                                           |
 * | record, composite   | {@link RecordValue}                                          |
 * | an enum             | number: the id of the label                                  |
 * | a domain            | a value of its base type                                     |
 * | regclass, regtype.. | {@link NamedOid}                                             |
 * | timetz              | {@link ZonedTime}                                            |
 * | bit, varbit         | string of 0 and 1                                            |
 * | "char"              | string of at most one byte                                   |
 * | jsonpath            | {@link JsonPath}                                             |
 * | uuid                | string: lower case with hyphens                              |
 */
import type { ArrayValue } from './array.js';
import type { Interval } from './interval.js';
import type { Jsonb } from './jsonb.js';
import type { JsonPath } from './jsonpath.js';
import type { Numeric } from './numeric.js';
import type { RecordValue } from './record.js';
import type { NamedOid } from './registered.js';
import type { ZonedTime } from './zoned-time.js';

export type Value =
  | null
  | boolean
  | number
  | bigint
  | string
  | Uint8Array
  | Numeric
  | Interval
  | Jsonb
  | JsonPath
  | ArrayValue
  | RecordValue
  | NamedOid
  | ZonedTime;

/** A row, in the order of its columns. */
export type Row = readonly Value[];
