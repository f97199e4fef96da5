/** Values of several words, as SET takes them. */
import { raise } from '../../base/errors.js';
import { settingNamed } from './table.js';

const plain = /^[a-z_][a-z0-9_$]*$/;

/** The words of SET as one value; raises when the setting takes one only. */
export function quoteNames(name: string, words: readonly string[]): string {
  const kind = settingNamed(name.toLowerCase())?.kind;
  const quotes = kind?.type === 'string' && kind.quotes === true;
  const isList = quotes || name.toLowerCase() === 'datestyle' || name.includes('.');
  if (words.length > 1 && kind !== undefined && !isList) {
    raise('invalid_parameter_value', `SET ${name} takes only one argument`);
  }
  return words
    .map((word) => (quotes && !plain.test(word) ? `"${word.replaceAll('"', '""')}"` : word))
    .join(', ');
}
