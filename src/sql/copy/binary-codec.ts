/** What the binary forms of all types have in common. */
import { raise } from '../../base/errors.js';
import type { FunctionContext, Value } from '../types/index.js';

export interface BinaryCodec {
  write(value: Value, context: FunctionContext): Uint8Array;
  /** Raises 22P03 for bytes that are no value, and the type's own errors. */
  read(bytes: Buffer, context: FunctionContext): Value;
}

export function badBinary(): never {
  raise('invalid_binary_representation', 'incorrect binary data format');
}

/** The message or the data of COPY end before the value does. */
export function tooShort(): never {
  raise('protocol_violation', 'insufficient data left in message');
}
