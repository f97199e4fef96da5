/** The processor time of other processes, as Linux tells it. */
import { readdirSync, readFileSync } from 'node:fs';

/** Ticks of /proc/<pid>/stat in a second, on every Linux that Node runs on. */
const ticksPerSecond = 100;

/** Fields of /proc/<pid>/stat behind the name of the command, which is in parentheses and may hold blanks. */
function fieldsOf(pid: number): readonly string[] {
  const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
  return stat.slice(stat.lastIndexOf(')') + 2).split(' ');
}

/** User and system time of a process, all threads, in seconds. */
export function cpuSeconds(pid: number): number {
  const fields = fieldsOf(pid);
  return (Number(fields[11]) + Number(fields[12])) / ticksPerSecond;
}

/** The same with that of its children, those that have ended included. */
export function cpuSecondsWithChildren(pid: number): number {
  const fields = fieldsOf(pid);
  let seconds = cpuSeconds(pid) + (Number(fields[13]) + Number(fields[14])) / ticksPerSecond;
  for (const name of readdirSync('/proc')) {
    if (!/^\d+$/.test(name)) continue;
    try {
      if (Number(fieldsOf(Number(name))[1]) === pid) seconds += cpuSeconds(Number(name));
    } catch {
      // It has ended meanwhile.
    }
  }
  return seconds;
}
