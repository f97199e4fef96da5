/**
 * The audit table: rows of a storage of the system, in order of time, that no statement changes. Rows of
 * a change of rights are written by its own transaction.
 */
import { must } from '../../base/assert.js';
import { ByteReader, ByteWriter, prefixEnd } from '../../base/bytes.js';
import { raise } from '../../base/errors.js';
import type { DatabaseId, StorageId } from '../../base/ids.js';
import type { Random } from '../../base/random.js';
import type { Span, Visit } from '../../storage/engine.js';
import { dataPrefix, dataPrefixBytes, keyKind } from '../../storage/keys.js';
import type { AuditEvent } from './protocol.js';

/** Not the catalogue's: a sign-in changes no plan. */
const systemDatabase = 3 as DatabaseId;
const auditStorage = 1 as StorageId;
const format = 1;

/** How long rows are kept. */
export const auditKeptMs = 90 * 86_400_000;

const from = dataPrefix(systemDatabase, auditStorage, keyKind.row);

/** All rows. */
const auditSpan: Span = { from, to: must(prefixEnd(from), 'a data prefix has an end') };

/** Rows from before `atMs`, milliseconds since 1970. */
export function auditSpanBefore(atMs: number): Span {
  return {
    from,
    to: new ByteWriter()
      .raw(from)
      .uint53(Math.max(0, Math.floor(atMs)))
      .finish(),
  };
}

/** The row of an event: `random` tells apart those of one millisecond. */
export function auditRow(
  event: AuditEvent,
  atMs: number,
  random: Pick<Random, 'uint32'>,
): { readonly key: Uint8Array; readonly value: Uint8Array } {
  const key = new ByteWriter()
    .raw(from)
    .uint53(Math.floor(atMs))
    .uint32(random.uint32())
    .uint32(random.uint32())
    .finish();
  return { key, value: new ByteWriter().uint8(format).text(JSON.stringify(event)).finish() };
}

export interface AuditEntry extends AuditEvent {
  /** Milliseconds since 1970. */
  readonly atMs: number;
}

/** All entries, the oldest first. */
export function auditEntries(reader: { scan(span: Span, visit: Visit): void }): AuditEntry[] {
  const entries: AuditEntry[] = [];
  reader.scan(auditSpan, (key, value) => {
    const atMs = new ByteReader(key.subarray(dataPrefixBytes)).uint53();
    const row = new ByteReader(value);
    const found = row.uint8();
    if (found !== format) raise('data_corrupted', `an audit row has format ${found}`);
    entries.push({ ...(JSON.parse(row.text()) as AuditEvent), atMs });
    return true;
  });
  return entries;
}
