/** Bounds bytes a second; saves up for one second at most. */
export class TokenBucket {
  readonly #bytesPerSecond: number;
  #bytes: number;
  #atMs: number;

  /** 0 bytes a second is no bound. */
  constructor(bytesPerSecond: number, nowMs: number) {
    this.#bytesPerSecond = bytesPerSecond;
    this.#bytes = bytesPerSecond;
    this.#atMs = nowMs;
  }

  /** Takes `bytes` if there are any at all: what is overdrawn is waited for by the next. */
  take(bytes: number, nowMs: number): boolean {
    if (this.#bytesPerSecond === 0) return true;
    const gained = ((nowMs - this.#atMs) / 1000) * this.#bytesPerSecond;
    this.#bytes = Math.min(this.#bytesPerSecond, this.#bytes + Math.max(0, gained));
    this.#atMs = nowMs;
    if (this.#bytes <= 0) return false;
    this.#bytes -= bytes;
    return true;
  }
}
