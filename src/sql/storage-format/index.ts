/**
 * How rows lie in the key space: the bytes of a row's key and of its value. Guarantees that rows sort
 * by primary key, that a column is decoded without the others and that damaged bytes raise
 * `data_corrupted`. Knows types and table descriptors; knows no expressions and no plans.
 */
export { decodeRowNumber, KeyEncoder, rowSpan, sequenceKey } from './key.js';
export { RowEncoder, rowFormatVersion, RowReader } from './row.js';
