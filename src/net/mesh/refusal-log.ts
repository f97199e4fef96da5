/** Logs what goes wrong with peers once per peer and reason, and again after a while. */
import type { Log } from '../host.js';
import { logAgainMs, refusalsKept } from './limits.js';

export class RefusalLog {
  readonly #log: Log;
  readonly #nowMs: () => number;
  readonly #logged = new Map<string, number>();

  constructor(log: Log, nowMs: () => number) {
    this.#log = log;
    this.#nowMs = nowMs;
  }

  write(
    event: string,
    peer: string,
    reason: string,
    fields: Readonly<Record<string, unknown>>,
  ): void {
    const key = `${event}|${peer}|${reason}`;
    const nowMs = this.#nowMs();
    const before = this.#logged.get(key);
    if (before !== undefined && nowMs - before < logAgainMs) return;
    if (this.#logged.size >= refusalsKept) this.#logged.clear();
    this.#logged.set(key, nowMs);
    this.#log('warn', event, { peer, reason, ...fields });
  }
}
