/**
 * Time zones. Rules come from Intl, which is slow (4 us a conversion), so the transitions of each
 * year that is asked for are found once and kept.
 */
import { dayNumber, unixDayOf2000 } from './calendar.js';
import { zonesMax } from './limits.js';

/** A change of the offset: from this second on. Seconds count from 2000-01-01 UTC. */
interface Transition {
  readonly at: number;
  readonly offset: number;
}

const yearSeconds = 31_556_952;
const cycleSeconds = yearSeconds * 400;
const second = 1_000_000n;
/** Rules repeat every 400 years; Intl is asked for years of this span only. */
const latestYear = 100;
/** Before 1800 all zones keep their local mean time. */
const earliestYear = -200;

/** A zone by name or a fixed offset. */
export class TimeZone {
  readonly name: string;
  readonly #offsetOfSecond: (utcSeconds: number) => number;
  readonly #abbreviationOf: (offset: number, utcSeconds: number) => string | undefined;

  constructor(
    name: string,
    offsetOfSecond: (utcSeconds: number) => number,
    abbreviationOf: (offset: number, utcSeconds: number) => string | undefined = () => undefined,
  ) {
    this.name = name;
    this.#offsetOfSecond = offsetOfSecond;
    this.#abbreviationOf = abbreviationOf;
  }

  /** Such as `PST` or `PDT`; undefined where the zone has only an offset. */
  abbreviationAt(micros: bigint): string | undefined {
    return this.#abbreviationOf(this.offsetAt(micros), floorSeconds(micros));
  }

  /** Seconds east of UTC at an instant, in microseconds since 2000-01-01 UTC. */
  offsetAt(micros: bigint): number {
    return this.#offsetOfSecond(floorSeconds(micros));
  }

  /**
   * Seconds east of UTC for a local time, in microseconds since 2000-01-01 by the local clock. A
   * time that a change skips or repeats is taken by the offset that holds outside of summer time's
   * gap, as PostgreSQL does: before the change when skipped, standard time when repeated.
   */
  offsetOfLocal(localMicros: bigint): number {
    const local = floorSeconds(localMicros);
    const before = this.#offsetOfSecond(local - 86_400);
    const after = this.#offsetOfSecond(local + 86_400);
    if (before === after) {
      // Two changes within two days do not happen; one offset holds all the time.
      return before;
    }
    const byBefore = this.#offsetOfSecond(local - before) === before;
    const byAfter = this.#offsetOfSecond(local - after) === after;
    if (byBefore && byAfter) return Math.min(before, after);
    if (byBefore) return before;
    return byAfter ? after : before;
  }
}

function floorSeconds(micros: bigint): number {
  const seconds = micros / second;
  return Number(micros % second < 0n ? seconds - 1n : seconds);
}

export function fixedZone(name: string, offset: number): TimeZone {
  return new TimeZone(name, () => offset);
}

export const utc = new TimeZone(
  'UTC',
  () => 0,
  () => 'UTC',
);

/** Offsets of PostgreSQL's default abbreviations in hours. */
const abbreviations: Readonly<Record<string, number>> = {
  acdt: 10.5,
  acst: 9.5,
  adt: -3,
  aedt: 11,
  aest: 10,
  akdt: -8,
  akst: -9,
  ast: -4,
  awst: 8,
  bst: 1,
  cadt: 10.5,
  cdt: -5,
  cest: 2,
  cet: 1,
  cst: -6,
  eat: 3,
  edt: -4,
  eest: 3,
  eet: 2,
  est: -5,
  gmt: 0,
  hst: -10,
  ist: 2,
  jst: 9,
  kst: 9,
  mdt: -6,
  msd: 4,
  msk: 3,
  mst: -7,
  ndt: -2.5,
  nst: -3.5,
  nzdt: 13,
  nzst: 12,
  pdt: -7,
  pst: -8,
  sast: 2,
  ut: 0,
  utc: 0,
  west: 1,
  wet: 0,
  z: 0,
  zulu: 0,
};

/** Seconds east of UTC of an abbreviation such as `pst`, or undefined. */
export function abbreviatedOffset(name: string): number | undefined {
  const hours = Object.hasOwn(abbreviations, name) ? abbreviations[name] : undefined;
  return hours === undefined ? undefined : hours * 3600;
}

const zones = new Map<string, TimeZone | undefined>();

/**
 * A zone as SET TIME ZONE takes it: an IANA name, an abbreviation, or hours east of UTC such as
 * `-5` or `+05:30`; undefined when it is none.
 */
export function findTimeZone(name: string): TimeZone | undefined {
  const key = name.toLowerCase();
  if (zones.has(key)) return zones.get(key);
  // Names come from clients: the table must not grow with their inventions.
  if (zones.size >= zonesMax) zones.clear();
  const zone = makeZone(name, key);
  zones.set(key, zone);
  return zone;
}

const offsetText = /^([+-]?)(\d{1,3})(?::(\d{1,2}))?(?::(\d{1,2}))?$/;
const posixText = /^([A-Za-z]{3,}|<[+-]?[\w:]+>)([+-]?)(\d{1,3})(?::(\d{1,2}))?(?::(\d{1,2}))?$/;

function makeZone(name: string, key: string): TimeZone | undefined {
  const offset = offsetText.exec(name);
  if (offset !== null) {
    const [, sign, hours, minutes, seconds] = offset;
    const value = Number(hours) * 3600 + Number(minutes ?? 0) * 60 + Number(seconds ?? 0);
    return value > 168 * 3600 ? undefined : fixedZone(name, sign === '-' ? -value : value);
  }
  const posix = posixText.exec(name);
  if (posix !== null) {
    const [, , sign, hours, minutes, seconds] = posix;
    const value = Number(hours) * 3600 + Number(minutes ?? 0) * 60 + Number(seconds ?? 0);
    // POSIX counts hours west of UTC.
    return value > 168 * 3600 ? undefined : fixedZone(name, sign === '-' ? value : -value);
  }
  if (key === 'utc' || key === 'gmt' || key === 'zulu' || key === 'z') {
    const upper = name.toUpperCase();
    return new TimeZone(
      upper,
      () => 0,
      () => upper,
    );
  }
  return ianaZone(name);
}

function ianaZone(name: string): TimeZone | undefined {
  if (!/^[A-Za-z][A-Za-z0-9_+-]*(?:\/[A-Za-z0-9_+-]+)*$/.test(name)) return undefined;
  let format: Intl.DateTimeFormat;
  try {
    format = new Intl.DateTimeFormat('en-US', {
      timeZone: name,
      calendar: 'iso8601',
      numberingSystem: 'latn',
      hourCycle: 'h23',
      year: 'numeric',
      month: 'numeric',
      day: 'numeric',
      hour: 'numeric',
      minute: 'numeric',
      second: 'numeric',
      era: 'short',
    });
  } catch (error) {
    if (error instanceof RangeError) return undefined;
    throw error;
  }
  const canonical = format.resolvedOptions().timeZone;
  // A link keeps its own name: PST8PDT is not shown as America/Los_Angeles.
  const timeZone = canonical.toLowerCase() === name.toLowerCase() ? canonical : name;
  return new TimeZone(timeZone, transitionTable(format), abbreviationTable(timeZone));
}

/** Abbreviations by offset, as they are asked for. Intl knows those of America and few others. */
function abbreviationTable(
  timeZone: string,
): (offset: number, utcSeconds: number) => string | undefined {
  const known = new Map<number, string | undefined>();
  const format = new Intl.DateTimeFormat('en-US', { timeZone, timeZoneName: 'short' });
  return (offset, utcSeconds) => {
    if (known.has(offset)) return known.get(offset);
    const at = (foldYears(utcSeconds) + unixDayOf2000 * 86_400) * 1000;
    const parts = format.formatToParts(at);
    const name = parts.find(({ type }) => type === 'timeZoneName')?.value ?? '';
    const shown = /^[A-Z]{3,5}$/.test(name) ? name : undefined;
    known.set(offset, shown);
    return shown;
  };
}

/** The offset at a second, found in a table of transitions that grows by years as they are met. */
function transitionTable(format: Intl.DateTimeFormat): (utcSeconds: number) => number {
  const years = new Map<number, readonly Transition[]>();
  return (utcSeconds) => {
    const seconds = foldYears(utcSeconds);
    const year = Math.floor(seconds / yearSeconds);
    let transitions = years.get(year);
    if (transitions === undefined) {
      transitions = transitionsOfYear(format, year);
      years.set(year, transitions);
    }
    let offset = transitions[0]?.offset ?? 0;
    for (const transition of transitions) {
      if (transition.at > seconds) break;
      offset = transition.offset;
    }
    return offset;
  };
}

/** The same moment of a year within the span that Intl is asked for. */
function foldYears(seconds: number): number {
  if (seconds < earliestYear * yearSeconds) return earliestYear * yearSeconds;
  if (seconds < latestYear * yearSeconds) return seconds;
  const over = seconds - latestYear * yearSeconds;
  return latestYear * yearSeconds + (over % cycleSeconds);
}

/** The offset at the year's start, then its changes. */
function transitionsOfYear(format: Intl.DateTimeFormat, year: number): readonly Transition[] {
  const start = year * yearSeconds;
  const step = Math.ceil(yearSeconds / 26);
  const found: Transition[] = [{ at: start, offset: offsetByIntl(format, start) }];
  let previous = found[0]?.offset ?? 0;
  for (let from = start; from < start + yearSeconds; from += step) {
    const to = Math.min(from + step, start + yearSeconds);
    const offset = offsetByIntl(format, to);
    if (offset !== previous) {
      found.push({ at: changeBetween(format, from, to, previous), offset });
      previous = offset;
    }
  }
  return found;
}

/** The first second between `from` and `to` at which the offset is no longer `before`. */
function changeBetween(
  format: Intl.DateTimeFormat,
  from: number,
  to: number,
  before: number,
): number {
  let low = from;
  let high = to;
  while (high - low > 1) {
    const middle = Math.floor((low + high) / 2);
    if (offsetByIntl(format, middle) === before) low = middle;
    else high = middle;
  }
  return high;
}

function offsetByIntl(format: Intl.DateTimeFormat, utcSeconds: number): number {
  const unixSeconds = utcSeconds + unixDayOf2000 * 86_400;
  const fields = new Map<string, string>();
  for (const { type, value } of format.formatToParts(unixSeconds * 1000)) fields.set(type, value);
  const field = (name: string) => Number(fields.get(name) ?? 0);
  const days = dayNumber(field('year'), field('month'), field('day'));
  const local = days * 86_400 + field('hour') * 3600 + field('minute') * 60 + field('second');
  return local - utcSeconds;
}
