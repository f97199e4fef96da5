/** Names that are longer than PostgreSQL keeps: the parser cuts them silently, and their writer should know. */

/** Bytes of a name in UTF-8. */
const nameBytesMax = 63;

/** Whether a text has anything that could be such a name: most have not. */
const suspicious = /[\w$\u0080-\uffff]{22}|"[^"]{22}/u;

/** Texts, comments and names, in this order of preference; the last two groups are names. */
const tokens =
  /[eE]'(?:[^'\\]|\\.|'')*'|'(?:[^']|'')*'|--[^\n]*|\/\*[\s\S]*?\*\/|(\$\w*\$)[\s\S]*?\1|"((?:[^"]|"")*)"|([A-Za-z_\u0080-\uffff][\w$\u0080-\uffff]*)/g;

export interface LongName {
  readonly name: string;
  /** What is kept of it. */
  readonly kept: string;
}

export function longNames(text: string): readonly LongName[] {
  if (!suspicious.test(text)) return [];
  const found: LongName[] = [];
  for (const [, , quoted, plain] of text.matchAll(tokens)) {
    const name =
      quoted?.replaceAll('""', '"') ?? plain?.replace(/[A-Z]/g, (one) => one.toLowerCase());
    if (name === undefined || Buffer.byteLength(name) <= nameBytesMax) continue;
    found.push({ name, kept: cut(name) });
  }
  return found;
}

/** As many whole characters as have room. */
function cut(name: string): string {
  let bytes = 0;
  let kept = '';
  for (const character of name) {
    bytes += Buffer.byteLength(character);
    if (bytes > nameBytesMax) break;
    kept += character;
  }
  return kept;
}
