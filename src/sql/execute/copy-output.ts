/** COPY TO: rows as the lines or bytes of a file, or as the result for the client. */
import { BinaryWriter, type FileWriter, headerLine, LineWriter } from '../copy/index.js';
import type { CopyTo } from '../plan/copy.js';
import type { RelationColumn } from '../plan/relation.js';
import { type FunctionContext, type Row, typeNamed } from '../types/index.js';
import { serverFiles } from './copy-input.js';
import type { ExecutionContext } from './execution.js';
import { pause, type Source, type Stream } from './stream.js';
import type { Tally, Write } from './write.js';

/** The data as pieces: texts, or bytes of the binary format. */
interface Format {
  readonly first: readonly (string | Uint8Array)[];
  row(row: Row, functions: FunctionContext): string | Uint8Array;
  readonly last: readonly Uint8Array[];
}

function formatOf({ options }: CopyTo, columns: readonly RelationColumn[]): Format {
  if (options.format === 'binary') {
    const writer = new BinaryWriter(columns.map(({ type }) => type.name));
    return {
      first: [writer.header()],
      row: (row, functions) => writer.row(row, functions),
      last: [writer.trailer()],
    };
  }
  const names = columns.map(({ name }) => name);
  const writer = new LineWriter(options, names);
  const types = columns.map(({ type }) => typeNamed(type.name));
  return {
    first: options.header === 'none' ? [] : [headerLine(options, names)],
    row: (row, functions) =>
      writer.line(
        types.map((type, i) => {
          const value = row[i] ?? null;
          return value === null ? null : type.print(value, functions);
        }),
      ),
    last: [],
  };
}

/** `columns` are those of the input's rows. */
export function compileCopyTo(
  statement: CopyTo,
  input: Source,
  columns: readonly RelationColumn[],
): Write {
  const format = formatOf(statement, columns);
  const { target } = statement;
  if (target.kind === 'client') {
    return (context, tally) => toClient(format, input, context, tally);
  }
  const { path } = target;
  return function* toServerFile(context, tally): Stream {
    const file = serverFiles(context.files).create(path);
    try {
      yield* toFile(file, format, input, context, tally);
    } finally {
      file.close();
    }
  };
}

function* toClient(format: Format, input: Source, context: ExecutionContext, tally: Tally): Stream {
  if (format.first.length > 0) yield format.first.map((piece) => [piece]);
  for (const batch of input(context)) {
    if (batch === pause) {
      yield pause;
      continue;
    }
    tally.count += batch.length;
    yield batch.map((row) => [format.row(row, context.functions)]);
  }
  if (format.last.length > 0) yield format.last.map((piece) => [piece]);
}

function* toFile(
  file: FileWriter,
  format: Format,
  input: Source,
  context: ExecutionContext,
  tally: Tally,
): Stream {
  const write = (pieces: readonly (string | Uint8Array)[]): void => {
    if (pieces.length === 0) return;
    file.write(
      Buffer.concat(
        pieces.map((piece) => (typeof piece === 'string' ? Buffer.from(piece) : piece)),
      ),
    );
  };
  write(format.first);
  for (const batch of input(context)) {
    if (batch === pause) {
      yield pause;
      continue;
    }
    tally.count += batch.length;
    write(batch.map((row) => format.row(row, context.functions)));
    if (context.turnIsOver()) yield pause;
  }
  write(format.last);
}
