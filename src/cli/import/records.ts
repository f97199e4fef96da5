/**
 * Finds where records of a CSV file end (RFC 4180: a line break within quotes belongs to its field),
 * so that a file of any size can be parsed piece by piece. A quote opens a field only at its
 * beginning; elsewhere it is left to the parser to complain about.
 */
import { pieceBytes, recordBytesMax } from '../limits.js';

const quote = 0x22;
const lineFeed = 0x0a;

/** Whole records. */
export interface Piece {
  readonly bytes: Uint8Array;
  /** The line of the file where the piece begins, from 1. */
  readonly line: number;
}

/** A line that cannot be imported. */
export interface BadLine {
  readonly line: number;
  readonly reason: string;
}

/** Where a scan stands within a record. */
type State = 'begin' | 'plain' | 'quoted' | 'closed';

/**
 * The state after `byte`. Behind a closing quote another one stands for a quote in the field, so
 * both re-open it.
 */
function step(state: State, byte: number, delimiter: number): State {
  if (state === 'quoted') return byte === quote ? 'closed' : 'quoted';
  if (byte === lineFeed || byte === delimiter) return 'begin';
  return byte === quote && state !== 'plain' ? 'quoted' : 'plain';
}

/** Cuts a stream of bytes into pieces of whole records. */
export class RecordSplitter {
  readonly #delimiter: number;
  #buffer: Uint8Array = new Uint8Array(0);
  /** The line where the buffer begins. */
  #line = 1;
  /** How far the buffer was scanned, and the line breaks up to there. */
  #at = 0;
  #breaks = 0;
  #state: State = 'begin';
  /** Where the last whole record ends, and the line breaks up to there. */
  #end = 0;
  #breaksAtEnd = 0;
  #bad: BadLine[] = [];
  /** In a line that is dropped and has not ended. */
  #dropping = false;

  /** `delimiter` is its byte. */
  constructor(delimiter: number) {
    this.#delimiter = delimiter;
  }

  /** Takes the bytes that follow; gives the pieces that are complete. */
  push(bytes: Uint8Array): Piece[] {
    this.#buffer = Buffer.concat([this.#buffer, bytes]);
    if (this.#dropping) this.#dropRest();
    this.#scan();
    const pieces: Piece[] = [];
    while (this.#buffer.length - this.#end > recordBytesMax) {
      this.#cut(pieces);
      this.#dropLine(`the record that begins here is longer than ${recordBytesMax} bytes`);
    }
    if (this.#end >= pieceBytes) this.#cut(pieces);
    return pieces;
  }

  /** What is left at the end of the file. */
  finish(): Piece[] {
    const pieces: Piece[] = [];
    while (this.#state === 'quoted') {
      this.#cut(pieces);
      this.#dropLine('the quote of a field of this record is never closed');
    }
    this.#end = this.#buffer.length;
    this.#breaksAtEnd = this.#breaks;
    this.#cut(pieces);
    return pieces;
  }

  /** Lines that were dropped since the last call. */
  takeBad(): BadLine[] {
    const bad = this.#bad;
    this.#bad = [];
    return bad;
  }

  #scan(): void {
    const buffer = this.#buffer;
    const delimiter = this.#delimiter;
    let state = this.#state;
    for (let at = this.#at; at < buffer.length; at += 1) {
      const byte = buffer[at] as number;
      state = step(state, byte, delimiter);
      if (byte !== lineFeed) continue;
      this.#breaks += 1;
      if (state === 'quoted') continue;
      this.#end = at + 1;
      this.#breaksAtEnd = this.#breaks;
    }
    this.#at = buffer.length;
    this.#state = state;
  }

  /** Takes the whole records out of the buffer. */
  #cut(pieces: Piece[]): void {
    if (this.#end === 0) return;
    pieces.push({ bytes: this.#buffer.slice(0, this.#end), line: this.#line });
    this.#forget(this.#end, this.#breaksAtEnd);
  }

  /** Drops the first line of a record without an end; what follows is read as new records. */
  #dropLine(reason: string): void {
    this.#bad.push({ line: this.#line, reason });
    this.#dropRest();
    this.#scan();
  }

  /** Drops what the buffer holds of a line. */
  #dropRest(): void {
    const found = this.#buffer.indexOf(lineFeed);
    this.#dropping = found < 0;
    this.#forget(this.#dropping ? this.#buffer.length : found + 1, this.#dropping ? 0 : 1);
    this.#at = 0;
    this.#breaks = 0;
    this.#state = 'begin';
  }

  #forget(bytes: number, breaks: number): void {
    this.#buffer = this.#buffer.subarray(bytes);
    this.#line += breaks;
    this.#at -= bytes;
    this.#breaks -= breaks;
    this.#end = 0;
    this.#breaksAtEnd = 0;
  }
}

/** Every record of a piece on its own. */
export function splitRecords(piece: Piece, delimiter: number): Piece[] {
  const { bytes } = piece;
  const records: Piece[] = [];
  let { line } = piece;
  let state: State = 'begin';
  for (let at = 0, begin = 0, breaks = 0; at < bytes.length; at += 1) {
    const byte = bytes[at] as number;
    state = step(state, byte, delimiter);
    if (byte === lineFeed) breaks += 1;
    if ((byte !== lineFeed || state === 'quoted') && at + 1 < bytes.length) continue;
    records.push({ bytes: bytes.slice(begin, at + 1), line });
    line += breaks;
    begin = at + 1;
    breaks = 0;
  }
  return records;
}

/** The line where each record of a piece begins; empty lines are no records. */
export function recordLines(piece: Piece, delimiter: number): number[] {
  const { bytes } = piece;
  const lines: number[] = [];
  let { line } = piece;
  let beginLine = line;
  let begin = 0;
  let state: State = 'begin';
  for (let at = 0; at < bytes.length; at += 1) {
    const byte = bytes[at] as number;
    state = step(state, byte, delimiter);
    if (byte !== lineFeed) continue;
    line += 1;
    if (state === 'quoted') continue;
    if (!isEmptyLine(bytes, begin, at)) lines.push(beginLine);
    begin = at + 1;
    beginLine = line;
  }
  if (begin < bytes.length) lines.push(beginLine);
  return lines;
}

function isEmptyLine(bytes: Uint8Array, begin: number, end: number): boolean {
  return end === begin || (end === begin + 1 && bytes[begin] === 0x0d);
}
