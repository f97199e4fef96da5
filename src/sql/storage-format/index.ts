/**
 * How rows and entries of indexes lie in the key space: the bytes of their keys and values. Guarantees
 * that rows sort by primary key and entries by their columns, that a column is decoded without the
 * others and that damaged bytes raise `data_corrupted`. Knows types and table descriptors; knows no
 * expressions and no plans.
 */
export {
  indexSpan,
  IndexEncoder,
  isImmediatelyUnique,
  rowKeyOfEntry,
  rowKeyPart,
} from './index-entry.js';
export { decodeRowNumber, KeyEncoder, rowSpan, sequenceKey } from './key.js';
export { RowEncoder, rowFormatVersion, RowReader } from './row.js';
