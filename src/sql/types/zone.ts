/** Time zones. */
export class TimeZone {
  readonly name: string;
  constructor(name: string) {
    this.name = name;
  }
  offsetAt(_micros: bigint): number {
    return 0;
  }
  offsetOfLocal(_localMicros: bigint): number {
    return 0;
  }
}
export function findTimeZone(name: string): TimeZone | undefined {
  return new TimeZone(name);
}
