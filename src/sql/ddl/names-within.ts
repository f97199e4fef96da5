/** Which names of columns a syntax tree may mean. */

/** The texts that stand in it; `all` when a star or NATURAL stands for names that are not written. */
export function namesWithin(tree: unknown): ReadonlySet<string> | 'all' {
  const names = new Set<string>();
  let all = false;
  const visit = (part: unknown): void => {
    if (Array.isArray(part)) {
      for (const element of part) visit(element);
      return;
    }
    if (typeof part !== 'object' || part === null) return;
    for (const [key, value] of Object.entries(part)) {
      if (key === 'A_Star' || (key === 'isNatural' && value === true)) all = true;
      if (key === 'sval' && typeof value === 'string') names.add(value);
      visit(value);
    }
  };
  visit(tree);
  return all ? 'all' : names;
}
