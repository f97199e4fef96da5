/** A time zone. */
export declare class TimeZone {
  readonly name: string;
  /** Seconds east of UTC at an instant, microseconds since 2000-01-01 UTC. */
  offsetAt(micros: bigint): number;
  /** Seconds east of UTC for a local time, microseconds since 2000-01-01 of the local clock. */
  offsetOfLocal(localMicros: bigint): number;
}

/** An IANA zone, abbreviation or fixed offset (`Europe/Berlin`, `UTC`, `+02`), or undefined. */
export declare function findTimeZone(name: string): TimeZone | undefined;
