/** Calls with a syntax of their own: EXTRACT, TRIM, AT TIME ZONE and their like. */
import type { ast } from '../parse/index.js';
import type { Shown } from './printing.js';
import { simple } from './shape.js';

/** Calls with a syntax of their own. */
export function syntaxOf(
  { funcformat }: ast.FuncCall,
  name: string,
  args: readonly string[],
): Shown | undefined {
  if (funcformat !== 'COERCE_SQL_SYNTAX') return undefined;
  const [first = '', second = ''] = args;
  switch (name) {
    case 'extract':
      return {
        text: `EXTRACT(${first.replace(/^'(\w+)'::text$/, '$1')} FROM ${second})`,
        shape: simple,
      };
    case 'timezone':
      return { text: `(${second} AT TIME ZONE ${first})`, shape: simple };
    case 'position':
      return { text: `POSITION((${second}) IN (${first}))`, shape: simple };
    case 'overlay':
      return {
        text: `OVERLAY(${first} PLACING ${second} FROM ${args[2] ?? ''}${args[3] === undefined ? '' : ` FOR ${args[3]}`})`,
        shape: simple,
      };
    case 'substring':
      return {
        text: `SUBSTRING(${first} FROM ${second}${args[2] === undefined ? '' : ` FOR ${args[2]}`})`,
        shape: simple,
      };
    case 'btrim':
    case 'ltrim':
    case 'rtrim': {
      const word = { btrim: 'BOTH', ltrim: 'LEADING', rtrim: 'TRAILING' }[name];
      return {
        text: `TRIM(${word} ${args.length > 1 ? `${second} ` : ''}FROM ${first})`,
        shape: simple,
      };
    }
    default:
      return undefined;
  }
}
