/** Where the bytes of COPY come from and go to. */

/** Bytes as they come. */
export interface CopyChunks {
  /**
   * The next bytes; `wait` when they are on their way and the execution is to pause, undefined at the
   * end. Raises what ended the transfer early.
   */
  next(): Uint8Array | 'wait' | undefined;
  close(): void;
}

export interface FileReader {
  /** Up to `bytesMax` bytes; undefined at the end. */
  read(bytesMax: number): Uint8Array | undefined;
  close(): void;
}

export interface FileWriter {
  write(bytes: Uint8Array): void;
  close(): void;
}

/** The files of the node's machine that statements may read and write. */
export interface ServerFiles {
  /** Raises as PostgreSQL does when the file cannot be opened: 58P01, 42501, 42809. */
  open(path: string): FileReader;
  /** Makes the file, or empties it. */
  create(path: string): FileWriter;
}
