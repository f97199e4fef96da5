/** Settings that a client is told of when they change (ParameterStatus). */
import type { Completion, TransactionStatus } from '../../sql/session/protocol.js';
import type { Row } from '../../sql/types/index.js';
import { type MessageWriter, writeParameterStatus } from './writer.js';

const reported: ReadonlySet<string> = new Set([
  'application_name',
  'client_encoding',
  'DateStyle',
  'default_transaction_read_only',
  'integer_datetimes',
  'IntervalStyle',
  'is_superuser',
  'server_encoding',
  'server_version',
  'standard_conforming_strings',
  'TimeZone',
]);

/** Statements that change settings, by their tags. */
const setting = /^(SET|RESET|DISCARD ALL)$/;

export class ReportedSettings {
  readonly #values = new Map<string, string>();
  readonly #user: string;
  /** Settings may be others than those reported. */
  #isDue = true;
  /** They were set in the block that is open, with which they may go. */
  #inBlock = false;

  constructor(user: string) {
    this.#user = user;
  }

  noteTag({ tag, status }: Completion): void {
    if (setting.test(tag)) {
      this.#isDue = true;
      this.#inBlock ||= status === 'open';
    }
  }

  /** Whether it is time to look; not in a failed block, where nothing can be asked for. */
  isDue(status: TransactionStatus): boolean {
    if (this.#inBlock && status === 'idle') {
      this.#inBlock = false;
      this.#isDue = true;
    }
    return this.#isDue && status !== 'failed';
  }

  /** Writes what of `SHOW ALL` the client does not know yet. */
  report(out: MessageWriter, rows: readonly Row[]): void {
    this.#isDue = false;
    const fixed = [
      ['in_hot_standby', 'off'],
      ['session_authorization', this.#user],
    ] as const;
    const shown = rows.map(([name, value]) => [String(name), String(value)] as const);
    for (const [name, value] of [...fixed, ...shown.filter(([one]) => reported.has(one))]) {
      if (this.#values.get(name) === value) continue;
      this.#values.set(name, value);
      writeParameterStatus(out, name, value);
    }
  }
}
