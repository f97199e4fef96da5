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
 * | text[]              | {@link TextArray}                                            |
 * | uuid                | string: lower case with hyphens                              |
 */
import type { Interval } from './interval.js';
import type { Jsonb } from './jsonb.js';
import type { Numeric } from './numeric.js';
import type { TextArray } from './text-array.js';

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
  | TextArray;

/** A row, in the order of its columns. */
export type Row = readonly Value[];
