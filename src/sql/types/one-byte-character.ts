/** "char": one byte, which is a character below 128 and prints as an octal escape above. */
import type { Type } from './type.js';
import type { Value } from './value.js';

/** The byte of a value, 0 for the empty one. */
export function byteOfCharacter(value: string): number {
  if (value === '') return 0;
  return value.startsWith('\\') && value.length === 4
    ? Number.parseInt(value.slice(1), 8)
    : value.charCodeAt(0);
}

/** The value of a byte. */
export function characterOfByte(byte: number): string {
  if (byte === 0) return '';
  return byte < 0x80 ? String.fromCharCode(byte) : `\\${byte.toString(8).padStart(3, '0')}`;
}

/** `\\377` as a byte; of any other text its first byte. */
export function parseCharacter(text: string): string {
  if (/^\\[0-3][0-7]{2}$/.test(text)) return characterOfByte(Number.parseInt(text.slice(1), 8));
  return text === '' ? '' : characterOfByte(Buffer.from(text, 'utf8')[0] ?? 0);
}

function compare(a: Value, b: Value): number {
  return byteOfCharacter(a as string) - byteOfCharacter(b as string);
}

export const oneByteCharacterType: Type = {
  name: 'char',
  oid: 18,
  arrayOid: 1002,
  sqlName: '"char"',
  length: 1,
  category: 'Z',
  preferred: false,
  textDependsOnContext: false,
  modifierOf: undefined,
  printModifier: undefined,
  parse: parseCharacter,
  print: (value) => value as string,
  compare,
  equals: (a, b) => a === b,
  hashKey: (value) => value as string,
  sizeOf: () => 32,
  key: {
    lossless: true,
    encode: (writer, value) => {
      writer.uint8(byteOfCharacter(value as string));
    },
    decode: (reader) => characterOfByte(reader.uint8()),
  },
  encode: (writer, value) => {
    writer.uint8(byteOfCharacter(value as string));
  },
  decode: (reader) => characterOfByte(reader.uint8()),
};
