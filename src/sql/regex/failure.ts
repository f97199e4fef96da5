/** The errors that a pattern can have, in the words of src/include/regex/regerrs.h. */
import { raise } from '../../base/errors.js';

const reasons = {
  pattern: 'invalid regexp (reg version 0.8)',
  collatingElement: 'invalid collating element',
  characterClass: 'invalid character class',
  escape: 'invalid escape \\ sequence',
  backReference: 'invalid backreference number',
  brackets: 'brackets [] not balanced',
  parentheses: 'parentheses () not balanced',
  braces: 'braces {} not balanced',
  repetitionCount: 'invalid repetition count(s)',
  range: 'invalid character range',
  operand: 'quantifier operand invalid',
  option: 'invalid embedded option',
  tooComplex: 'regular expression is too complex',
} as const;

/** Raises 2201B. */
export function failPattern(reason: keyof typeof reasons): never {
  raise('invalid_regular_expression', `invalid regular expression: ${reasons[reason]}`);
}
