/** Names that PostgreSQL makes up for constraints, indexes and sequences. */

/** Bytes of a name. */
const nameBytesMax = 63;

/** `first_second_label`, the longer of the first two cut until all fits (makeObjectName). */
function objectName(first: string, second: string | undefined, label: string): string {
  const parts = [first, second ?? ''];
  const joints = (second === undefined ? 0 : 1) + (label === '' ? 0 : 1);
  const room = nameBytesMax - Buffer.byteLength(label) - joints;
  const length = (part: string | undefined): number => Buffer.byteLength(part ?? '');
  while (length(parts[0]) + length(parts[1]) > room) {
    const longer = length(parts[0]) > length(parts[1]) ? 0 : 1;
    parts[longer] = withoutLast(parts[longer] ?? '');
  }
  const kept = second === undefined ? [parts[0]] : parts;
  return [...kept, ...(label === '' ? [] : [label])].join('_');
}

function withoutLast(text: string): string {
  return [...text].slice(0, -1).join('');
}

/** The first of `name`, `name1`, `name2`, ... that is not taken. */
export function freeName(
  first: string,
  second: string | undefined,
  label: string,
  isTaken: (name: string) => boolean,
): string {
  for (let number = 0; ; number += 1) {
    const name = objectName(first, second, number === 0 ? label : `${label}${number}`);
    if (!isTaken(name)) return name;
  }
}
