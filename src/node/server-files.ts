/** Files that COPY may read and write: those below the directories of copy.directories. */
import { closeSync, fstatSync, openSync, readSync, realpathSync, writeSync } from 'node:fs';
import { basename, dirname, isAbsolute, join, resolve, sep } from 'node:path';
import { DatabaseError, type ErrorName, raise } from '../base/errors.js';
import type { FileReader, FileWriter, ServerFiles } from '../sql/index.js';

/** Undefined without directories: statements touch no files then. */
export function serverFiles(directories: readonly string[]): ServerFiles | undefined {
  if (directories.length === 0) return undefined;
  return new DirectoryFiles(directories);
}

class DirectoryFiles implements ServerFiles {
  readonly #directories: readonly string[];

  constructor(directories: readonly string[]) {
    this.#directories = directories.map((directory) => resolve(directory));
  }

  open(path: string): FileReader {
    const file = this.#opened(path, 'r', 'reading');
    return {
      read(bytesMax) {
        const bytes = Buffer.allocUnsafe(bytesMax);
        const length = ioOr('read from', path, () => readSync(file, bytes));
        return length === 0 ? undefined : bytes.subarray(0, length);
      },
      close: () => closeSync(file),
    };
  }

  create(path: string): FileWriter {
    if (!isAbsolute(path)) {
      raise('invalid_name', 'relative path not allowed for COPY to file');
    }
    const file = this.#opened(path, 'w', 'writing');
    return {
      write(bytes) {
        for (let at = 0; at < bytes.length; ) {
          at += ioOr('write to', path, () => writeSync(file, bytes, at));
        }
      },
      close: () => closeSync(file),
    };
  }

  #opened(path: string, flags: 'r' | 'w', purpose: string): number {
    try {
      const file = openSync(this.#checked(path), flags);
      if (!fstatSync(file).isDirectory()) return file;
      closeSync(file);
      raise('wrong_object_type', `"${path}" is a directory`);
    } catch (error) {
      const { name, reason } = systemError(error);
      raise(name, `could not open file "${path}" for ${purpose}: ${reason}`);
    }
  }

  /** The path without links. Raises 42501 when it leads out of the directories. */
  #checked(path: string): string {
    const whole = resolve(path);
    // The file itself may not exist yet; where it is to lie does.
    const real = join(realpathSync(dirname(whole)), basename(whole));
    const target = ((): string => {
      try {
        return realpathSync(real);
      } catch {
        return real;
      }
    })();
    if (this.#directories.some((directory) => isBelow(target, directory))) return target;
    raise('insufficient_privilege', 'permission denied to COPY to or from a file', {
      detail: `"${path}" is below none of the directories of copy.directories.`,
    });
  }
}

function isBelow(path: string, directory: string): boolean {
  const real = ((): string => {
    try {
      return realpathSync(directory);
    } catch {
      return directory;
    }
  })();
  return path.startsWith(real.endsWith(sep) ? real : real + sep);
}

/** Runs `work`; errors of the system become PostgreSQL's. */
export function ioOr<T>(what: string, path: string, work: () => T): T {
  try {
    return work();
  } catch (error) {
    const { name, reason } = systemError(error);
    raise(name, `could not ${what} file "${path}": ${reason}`);
  }
}

/** As PostgreSQL's errcode_for_file_access and strerror. */
const systemErrors: Readonly<
  Record<string, { readonly name: ErrorName; readonly reason: string }>
> = {
  ENOENT: { name: 'undefined_file', reason: 'No such file or directory' },
  ENOTDIR: { name: 'wrong_object_type', reason: 'Not a directory' },
  EISDIR: { name: 'wrong_object_type', reason: 'Is a directory' },
  EACCES: { name: 'insufficient_privilege', reason: 'Permission denied' },
  EPERM: { name: 'insufficient_privilege', reason: 'Operation not permitted' },
  EROFS: { name: 'insufficient_privilege', reason: 'Read-only file system' },
  ENOSPC: { name: 'disk_full', reason: 'No space left on device' },
};

function systemError(error: unknown): { readonly name: ErrorName; readonly reason: string } {
  if (error instanceof DatabaseError) throw error;
  if (!(error instanceof Error) || !('code' in error)) throw error;
  const known = systemErrors[String(error.code)];
  return known ?? { name: 'io_error', reason: error.message };
}
