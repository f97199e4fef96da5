/** The templates of to_char() and to_number() for numbers: NUMDesc_prepare() of formatting.c. */
import { raise } from '../../base/errors.js';

export type NumberToken =
  | '9'
  | '0'
  | '.'
  | ','
  | 'D'
  | 'G'
  | 'B'
  | 'C'
  | 'L'
  | 'S'
  | 'V'
  | 'MI'
  | 'PL'
  | 'SG'
  | 'PR'
  | 'RN'
  | 'rn'
  | 'TH'
  | 'th'
  | 'EEEE'
  | 'FM';

export type NumberPart =
  | { readonly kind: 'token'; readonly token: NumberToken }
  | { readonly kind: 'text'; readonly text: string };

export interface NumberFormat {
  readonly parts: readonly NumberPart[];
  /** Digits before and after the point. */
  before: number;
  after: number;
  /** Digits after V, by which the number is moved. */
  moved: number;
  /** Place of the first 0 before the point, from 1, and of the last 0; 0 without. */
  zeroStart: number;
  zeroEnd: number;
  /** Digits before the sign S. */
  digitsBeforeSign: number;
  sign: 'none' | 'before' | 'after';
  hasZero: boolean;
  hasPoint: boolean;
  unfilled: boolean;
  hasMinus: boolean;
  hasPlus: boolean;
  brackets: boolean;
  roman: boolean;
  scientific: boolean;
}

const tokenPattern = /EEEE|FM|MI|PL|SG|PR|RN|TH|SP|[90.,DGBCLSV]|"((?:[^"\\]|\\.)*)"?|\\"|./gisu;

function fail(text: string, detail?: string): never {
  raise('syntax_error', text, detail === undefined ? {} : { detail });
}

export function parseNumberFormat(template: string): NumberFormat {
  const parts: NumberPart[] = [];
  const format: NumberFormat = {
    parts,
    before: 0,
    after: 0,
    moved: 0,
    zeroStart: 0,
    zeroEnd: 0,
    digitsBeforeSign: 0,
    sign: 'none',
    hasZero: false,
    hasPoint: false,
    unfilled: false,
    hasMinus: false,
    hasPlus: false,
    brackets: false,
    roman: false,
    scientific: false,
  };
  let moves = false;
  for (const [text, quoted] of template.matchAll(tokenPattern)) {
    if (quoted !== undefined || text === '\\"') {
      const plain = quoted === undefined ? '"' : quoted.replace(/\\(.)/gs, '$1');
      for (const character of plain) parts.push({ kind: 'text', text: character });
      continue;
    }
    const token = tokenOf(text);
    if (token === undefined) {
      if (text.toUpperCase() !== 'SP') parts.push({ kind: 'text', text });
      continue;
    }
    if (token === 'V') {
      if (format.hasPoint) fail('cannot use "V" and decimal point together');
      moves = true;
    } else {
      note(format, token, moves);
    }
    parts.push({ kind: 'token', token });
  }
  return format;
}

function tokenOf(text: string): NumberToken | undefined {
  if (text === 'rn' || text === 'th') return text;
  const upper = text.toUpperCase();
  const isToken = /^(EEEE|FM|MI|PL|SG|PR|RN|TH|[90.,DGBCLSV])$/.test(upper);
  return isToken ? (upper as NumberToken) : undefined;
}

/** Takes into account what a token says of the whole. */
function note(format: NumberFormat, token: NumberToken, moves: boolean): void {
  if (format.scientific) {
    fail(token === 'EEEE' ? 'cannot use "EEEE" twice' : '"EEEE" must be the last pattern used');
  }
  switch (token) {
    case '9':
    case '0':
      noteDigit(format, token, moves);
      return;
    case '.':
    case 'D':
      if (format.hasPoint) fail('multiple decimal points');
      if (moves) fail('cannot use "V" and decimal point together');
      format.hasPoint = true;
      return;
    case 'FM':
      format.unfilled = true;
      return;
    case 'RN':
    case 'rn':
      format.roman = true;
      return;
    case 'EEEE':
      if (isSigned(format) || format.brackets || format.unfilled || format.roman || moves) {
        fail(
          '"EEEE" is incompatible with other formats',
          '"EEEE" may only be used together with digit and decimal point patterns.',
        );
      }
      format.scientific = true;
      return;
    default:
      noteSign(format, token);
  }
}

function noteDigit(format: NumberFormat, token: '9' | '0', moves: boolean): void {
  if (format.brackets) fail(`"${token}" must be ahead of "PR"`);
  if (token === '9' && moves) {
    format.moved += 1;
    return;
  }
  if (token === '0' && !format.hasZero && !format.hasPoint) {
    format.hasZero = true;
    format.zeroStart = format.before + 1;
  }
  if (format.hasPoint) format.after += 1;
  else format.before += 1;
  if (token === '0') format.zeroEnd = format.before + format.after;
}

function isSigned({ sign, hasMinus, hasPlus }: NumberFormat): boolean {
  return sign !== 'none' || hasMinus || hasPlus;
}

function noteSign(format: NumberFormat, token: NumberToken): void {
  switch (token) {
    case 'S':
      if (format.sign !== 'none') fail('cannot use "S" twice');
      if (isSigned(format) || format.brackets) {
        fail('cannot use "S" and "PL"/"MI"/"SG"/"PR" together');
      }
      format.sign = format.hasPoint ? 'after' : 'before';
      format.digitsBeforeSign = format.before;
      return;
    case 'MI':
    case 'PL':
    case 'SG':
      if (format.sign !== 'none') fail(`cannot use "S" and "${token}" together`);
      if (token !== 'PL') format.hasMinus = true;
      if (token !== 'MI') format.hasPlus = true;
      return;
    case 'PR':
      if (isSigned(format)) fail('cannot use "PR" and "S"/"PL"/"MI"/"SG" together');
      format.brackets = true;
      return;
    default:
  }
}
