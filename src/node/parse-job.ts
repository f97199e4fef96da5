/** The job that parses a long text on a thread of its own. */
import { raise } from '../base/errors.js';
import { loadParser, parsePieces } from '../sql/index.js';

export interface ParseJob {
  readonly text: string;
  readonly limits: Parameters<typeof parsePieces>[1];
}

/** A syntax tree in pieces: shared memory, as cloning it would cost more than parsing. */
export interface ParsedText {
  readonly bytes: SharedArrayBuffer;
  /** Where each piece ends. */
  readonly ends: readonly number[];
}

/** Raises what parsing raises, and out_of_memory when the parser's own memory is full. */
export async function parseText({ text, limits }: ParseJob): Promise<ParsedText> {
  await loadParser();
  return shared(piecesOf(text, limits));
}

function piecesOf(text: string, limits: ParseJob['limits']): string[] {
  try {
    return parsePieces(text, limits);
  } catch (error) {
    // What the parser's code in WebAssembly fails with when it can allocate no more.
    if (!(error instanceof Error) || error.name !== 'RuntimeError') throw error;
    return raise('out_of_memory', 'the parser has no memory for this statement', {
      detail: error.message,
      hint: 'Send several statements.',
    });
  }
}

function shared(pieces: readonly string[]): ParsedText {
  let length = 0;
  const ends = pieces.map((piece) => {
    length += Buffer.byteLength(piece);
    return length;
  });
  const bytes = new SharedArrayBuffer(length);
  const view = Buffer.from(bytes);
  let from = 0;
  for (const piece of pieces) from += view.write(piece, from);
  return { bytes, ends };
}
