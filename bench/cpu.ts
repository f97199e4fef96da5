/** The processor time of another process, as Linux tells it. */
import { readFileSync } from 'node:fs';

/** Ticks of /proc/<pid>/stat in a second, on every Linux that Node runs on. */
const ticksPerSecond = 100;

/** User and system time of a process, all threads, in seconds. */
export function cpuSeconds(pid: number): number {
  const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
  // The name of the command is in parentheses and may hold blanks.
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  return (Number(fields[11]) + Number(fields[12])) / ticksPerSecond;
}
