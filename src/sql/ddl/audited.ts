/** A change of rights goes into the audit table, in the transaction that makes it, and into the log. */
import { auditRow } from '../accounts/index.js';
import { type FunctionContext, unixMsOfTimestamp } from '../types/index.js';

/** Characters of a statement that are kept. */
const textMax = 4_000;

/** Of a definition, or of a function that changes rights. */
interface Changing {
  readonly bind: { readonly functions: FunctionContext };
  readonly execution: { readonly buffer: { put(key: Uint8Array, value: Uint8Array): void } };
  noteRights?(change: string): void;
}

/** `change` says what, without passwords. */
export function audited(context: Changing, change: string): void {
  const { bind, execution } = context;
  const { functions } = bind;
  const reason = change.slice(0, textMax);
  context.noteRights?.(reason);
  const event = {
    kind: 'rights',
    role: functions.sessionUser ?? functions.user,
    ...{ database: functions.database, address: '', door: 'sql', method: '', encrypted: false },
    reason,
  } as const;
  const atMs = unixMsOfTimestamp(functions.clockTimestamp());
  const { key, value } = auditRow(event, atMs, functions.random);
  execution.buffer.put(key, value);
}
