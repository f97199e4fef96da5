/**
 * The formats of COPY: rows as text, CSV and PostgreSQL's binary format, read and written piece by
 * piece. Guarantees PostgreSQL's rules for line ends, escapes, NULLs and markers, with its messages.
 * Knows types and bytes; knows no tables, no plans, and files only as the capability `ServerFiles`.
 */
export { BinaryReader, BinaryWriter } from './binary.js';
export type { BinaryCodec } from './binary-codec.js';
export { binaryCodec } from './binary-values.js';
export { csvFields } from './csv-fields.js';
export type { CopyFormat, CopyOptions, Field } from './options.js';
export { defaultMarker } from './options.js';
export { LineReader } from './lines.js';
export type { CopyChunks, FileReader, FileWriter, ServerFiles } from './source.js';
export { textFields } from './text-fields.js';
export { headerLine, LineWriter } from './write.js';
