/** Files of the configuration that may change while a node runs. */
import { readFileSync, statSync } from 'node:fs';
import { raise } from '../../base/errors.js';

/** Whether files are others than they were. */
export class FileStamp {
  readonly #files: readonly string[];
  #stamp: string;

  constructor(files: readonly string[]) {
    this.#files = files;
    this.#stamp = this.#now() ?? '';
  }

  /** What is there now is known; taken before reading, a file that changes meanwhile is read once more. */
  take(): void {
    this.#stamp = this.#now() ?? '';
  }

  /** True when a file is another one than at the last `take`. */
  changed(): boolean {
    const stamp = this.#now();
    return stamp !== undefined && stamp !== this.#stamp;
  }

  #now(): string | undefined {
    try {
      return this.#files
        .map((file) => {
          const { mtimeMs, size, ino } = statSync(file);
          return `${mtimeMs}/${size}/${ino}`;
        })
        .join(' ');
    } catch {
      // Between two files of a rename; the next look finds it.
      return undefined;
    }
  }
}

/** The file that `option` names; raises `config_invalid`. */
export function readOptionFile(option: string, file: string): Buffer {
  if (file === '') raise('config_invalid', `${option} is empty`);
  try {
    return readFileSync(file);
  } catch (error) {
    raise('config_invalid', `${option}: ${error instanceof Error ? error.message : String(error)}`);
  }
}
