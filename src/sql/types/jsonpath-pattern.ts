/** The patterns of like_regex, whose flags are XQuery's. */
import { compileRegex, defaultOptions, type Regex } from '../regex/index.js';

/** Compiles a pattern with flags among i, s, m and q. Raises 2201B. */
export function compilePathPattern(pattern: string, flags: string): Regex {
  const ignoreCase = flags.includes('i');
  if (flags.includes('q')) {
    return compileRegex(pattern, { ...defaultOptions, form: 'literal', ignoreCase });
  }
  return compileRegex(pattern, {
    ...defaultOptions,
    ignoreCase,
    newlineStops: !flags.includes('s'),
    newlineAnchors: flags.includes('m'),
  });
}
