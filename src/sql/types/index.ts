/**
 * Types: what their values look like in JavaScript, how they are read, printed, compared, hashed
 * and laid down in rows and keys. Guarantees PostgreSQL's texts, order and errors. Pure: what
 * depends on a session (time zone, now) comes from the context. Knows no expressions, tables or
 * plans; casts between types are functions (see ../functions).
 *
 * The files of ../functions may import these files directly, as both are one subject; all others
 * come by this door.
 */
export { Interval } from './interval.js';
export { Jsonb } from './jsonb.js';
export { Numeric } from './numeric.js';
export { printType, typeNamed, typeOfOid, types } from './registry.js';
export { TextArray } from './text-array.js';
export type { FunctionContext, HashKey, KeyCodec, Type, TypeName } from './type.js';
export type { Row, Value } from './value.js';
export { findTimeZone, TimeZone } from './zone.js';
