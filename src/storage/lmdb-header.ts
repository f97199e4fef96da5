/**
 * What must hold before lmdb may open an environment: lmdb 3.5 crashes the process when its open fails,
 * so the reasons why it could fail are looked for first.
 */
import { closeSync, fstatSync, openSync, readFileSync, readSync, statfsSync } from 'node:fs';
import { join } from 'node:path';
import { raise } from '../base/errors.js';

const headerBytes = 64;
const metaFlag = 0x08;
const magic = 0xbeef_c0de;
const version = 2;
/** Space on a disk that LMDB's lock file needs at most, with room to spare. */
const freeBytesMin = 1024 * 1024;

/** Whether the folder holds an environment; raises `directory_damaged` when it holds something else. */
export function checkHeader(folder: string): boolean {
  const path = join(folder, 'data.mdb');
  let file: number;
  try {
    file = openSync(path, 'r');
  } catch (error) {
    if ((error as { code?: string }).code === 'ENOENT') return false;
    throw error;
  }
  try {
    if (fstatSync(file).size === 0) return false;
    const first = readMeta(file, 0);
    const pageBytes = first?.readUInt32LE(48);
    if (pageBytes === undefined || readMeta(file, pageBytes) === undefined) {
      raise('directory_damaged', `${path} does not begin as an LMDB file of version ${version}`);
    }
    return true;
  } finally {
    closeSync(file);
  }
}

/** Raises `disk_full` or `config_invalid` when there is no room for an environment in `folder`. */
export function checkRoom(folder: string, mapBytes: number): void {
  const { bavail, bsize } = statfsSync(folder);
  if (bavail * bsize < freeBytesMin) {
    raise('disk_full', `the disk of ${folder} has ${bavail * bsize} bytes left`);
  }
  const free = freeAddressBytes();
  if (mapBytes > free) {
    raise(
      'config_invalid',
      `a map of ${mapBytes} bytes for ${folder} does not fit the ${free} bytes of address space that ` +
        'the process may still use (ulimit -v)',
    );
  }
}

/** Offsets are those of LMDB's page header (24 bytes) and meta record. */
function readMeta(file: number, at: number): Buffer | undefined {
  const header = Buffer.alloc(headerBytes);
  if (readSync(file, header, 0, headerBytes, at) < headerBytes) return undefined;
  const sound =
    (header.readUInt16LE(18) & metaFlag) !== 0 &&
    header.readUInt32LE(24) === magic &&
    header.readUInt32LE(28) === version;
  return sound ? header : undefined;
}

/** Infinite where the system sets no limit, or does not tell. */
function freeAddressBytes(): number {
  try {
    const limits = readFileSync('/proc/self/limits', 'utf8');
    const limit = Number(
      /^Max address space +(\d+)/m.exec(limits)?.[1] ?? Number.POSITIVE_INFINITY,
    );
    const used = Number(
      /^VmSize:\s+(\d+) kB/m.exec(readFileSync('/proc/self/status', 'utf8'))?.[1],
    );
    return limit - used * 1024;
  } catch {
    return Number.POSITIVE_INFINITY;
  }
}
