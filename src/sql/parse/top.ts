/** `SELECT TOP n`, which PostgreSQL's grammar lacks: taken out of the text before it is parsed. */

const top = /^(\s*select\s+(?:distinct\s+|all\s+)?)(top\s+(\d{1,9})(?=[\s*]))/i;

/** The text with spaces for TOP n, so that positions stay true; undefined when it has none. */
export function takeTop(text: string): { rest: string; count: number } | undefined {
  const match = top.exec(text);
  if (match === null) return undefined;
  const [, before = '', taken = '', count = ''] = match;
  const rest = before + ' '.repeat(taken.length) + text.slice(before.length + taken.length);
  return { rest, count: Number(count) };
}
