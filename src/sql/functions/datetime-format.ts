/** The templates of to_char(), to_date() and to_timestamp() for dates and times, cut into their parts. */

/** A field of a template, by its name as it is written: `YYYY`, `Month`, `hh24`. */
export interface TemplateField {
  readonly kind: 'field';
  readonly name: string;
  /** FM: without blanks and zeros that fill up. */
  readonly unfilled: boolean;
  readonly ordinal: 'TH' | 'th' | undefined;
}

export type TemplatePart =
  | TemplateField
  /** `separator` is a sign that is neither letter nor digit, outside of quotes. */
  | { readonly kind: 'separator' | 'space' | 'text'; readonly text: string };

const numberNames =
  'CC DDD DD D HH24 HH12 HH IDDD ID IW IYYY IYY IY I J MI MM MS Q SSSSS SSSS SS US WW W Y,YYY YYYY YYY YY Y FF1 FF2 FF3 FF4 FF5 FF6';
const otherNames =
  'A.D. a.d. A.M. a.m. AD ad AM am B.C. b.c. BC bc P.M. p.m. PM pm DAY Day day DY Dy dy FX fx MONTH Month month MON Mon mon OF of RM rm TZH tzh TZM tzm TZ tz';

/** Fields that are numbers, in both ways of writing. */
const numberFields: ReadonlySet<string> = new Set([
  ...numberNames.split(' '),
  ...numberNames.toLowerCase().split(' '),
  'TZM',
  'tzm',
]);

const fieldNames: ReadonlySet<string> = new Set([...numberFields, ...otherNames.split(' ')]);
const longestName = 5;

export function isNumberField(name: string): boolean {
  return numberFields.has(name);
}

export function parseTemplate(template: string): readonly TemplatePart[] {
  const parts: TemplatePart[] = [];
  const characters = [...template];
  let at = 0;
  const addText = (text: string) => parts.push({ kind: 'text', text });
  while (at < characters.length) {
    let unfilled = false;
    const prefix = characters
      .slice(at, at + 2)
      .join('')
      .toUpperCase();
    if (prefix === 'FM' || prefix === 'TM') {
      unfilled = prefix === 'FM';
      at += 2;
    }
    const name = nameAt(characters, at);
    const character = characters[at];
    if (name !== undefined) {
      at += name.length;
      const suffix = characters.slice(at, at + 2).join('');
      const ordinal = suffix === 'TH' || suffix === 'th' ? suffix : undefined;
      if (ordinal !== undefined || suffix === 'SP') at += 2;
      parts.push({ kind: 'field', name, unfilled, ordinal });
    } else if (character === '"') {
      at += 1;
      while (at < characters.length && characters[at] !== '"') {
        if (characters[at] === '\\' && at + 1 < characters.length) at += 1;
        addText(characters[at] ?? '');
        at += 1;
      }
      at += 1;
    } else if (character !== undefined) {
      if (character === '\\' && characters[at + 1] === '"') at += 1;
      parts.push({ kind: kindOf(characters[at] ?? ''), text: characters[at] ?? '' });
      at += 1;
    }
  }
  return parts;
}

/** The longest name that stands there. */
function nameAt(characters: readonly string[], at: number): string | undefined {
  for (let length = longestName; length > 0; length -= 1) {
    const name = characters.slice(at, at + length).join('');
    if (fieldNames.has(name)) return name;
  }
  return undefined;
}

function kindOf(character: string): 'separator' | 'space' | 'text' {
  if (isSpace(character)) return 'space';
  return isSeparator(character) ? 'separator' : 'text';
}

export function isSpace(character: string | undefined): boolean {
  return character !== undefined && /^[ \t\n\v\f\r]$/.test(character);
}

/** A printable sign of ASCII that is neither letter nor digit. */
export function isSeparator(character: string | undefined): boolean {
  return character !== undefined && /^[!-~]$/.test(character) && !/[A-Za-z0-9]/.test(character);
}
