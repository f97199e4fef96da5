/**
 * Types: what their values look like in JavaScript, how they are read, printed, compared, hashed
 * and laid down in rows and keys. Guarantees PostgreSQL's texts, order and errors. Pure: what
 * depends on a session (time zone, now) comes from the context. Knows no expressions, tables or
 * plans; casts between types are functions (see ../functions).
 *
 * The files of ../functions may import these files directly, as both are one subject; all others
 * come by this door.
 */
export { ArrayValue, countOf, textElements } from './array.js';
export { tooManyDimensions } from './array-text.js';
export { timestampOfUnixMs, unixMsOfTimestamp } from './calendar.js';
export { checkedDate, checkedTimestamp } from './datetime-type.js';
export { type Collation, isCollation, mergeCollations, unknownCollation } from './collation.js';
export { checkDomain } from './domain.js';
export { readDateStyle } from './date-style.js';
export { Interval } from './interval.js';
export { Jsonb } from './jsonb.js';
export { Numeric } from './numeric.js';
export { byteOfCharacter, characterOfByte } from './one-byte-character.js';
export { type RecordField, type RecordShape, RecordValue } from './record.js';
export { NamedOid, registeredTypeNames } from './registered.js';
export {
  arrayTypeName,
  baseTypeName,
  collationOf,
  elementTypeName,
  printType,
  typeNamed,
  typeOfOid,
  types,
  withCollation,
} from './registry.js';
export type {
  BaseTypeName,
  DomainCheck,
  EnumLabel,
  FunctionContext,
  HashKey,
  KeyCodec,
  NameLookup,
  RegisteredTypeName,
  Type,
  TypeForm,
  TypeName,
} from './type.js';
export { typeOfText } from './type-text.js';
export { readUtf8 } from './utf8.js';
export { nameOfUserType, shortTypeName, type UserType, userTypeOf } from './user-type.js';
export type { NotificationAccess } from './notification-access.js';
export type { AdvisoryKey, AdvisoryMode, Question } from './question.js';
export type { SequenceAccess } from './sequence-access.js';
export type { SystemAccess } from './system-access.js';
export { systemTypeNames, vectorOf } from './system-types.js';
export type { Row, Value } from './value.js';
export { findTimeZone, TimeZone } from './zone.js';
export { ZonedTime } from './zoned-time.js';
export { arrayDimensionsMax } from './limits.js';
