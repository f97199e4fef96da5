/**
 * The gate for messages of clients
 * (https://www.postgresql.org/docs/15/protocol-message-formats.html): bytes to a checked
 * {@link ClientMessage}, or an error of the catalogue.
 */
import { raise } from '../../base/errors.js';
import { Body } from './reader.js';

export type Format = 'text' | 'binary';
/** What Describe and Close are about. */
export type Target = 'statement' | 'portal';

/** A parameter as it came; null is NULL. */
export interface WireParameter {
  readonly format: Format;
  readonly bytes: Buffer | null;
}

export interface BindMessage {
  readonly kind: 'bind';
  readonly portal: string;
  readonly statement: string;
  readonly parameters: readonly WireParameter[];
  /** None: all text; one: for all columns; else one per column. */
  readonly resultFormats: readonly Format[];
}

export type ClientMessage =
  | { readonly kind: 'query'; readonly text: string }
  | {
      readonly kind: 'parse';
      readonly name: string;
      readonly text: string;
      /** 0 where the type is to be inferred. */
      readonly typeOids: readonly number[];
    }
  | BindMessage
  | { readonly kind: 'describe'; readonly target: Target; readonly name: string }
  | { readonly kind: 'execute'; readonly portal: string; readonly rowsMax: number }
  | { readonly kind: 'close'; readonly target: Target; readonly name: string }
  | { readonly kind: 'flush' }
  | { readonly kind: 'sync' }
  | { readonly kind: 'terminate' }
  | { readonly kind: 'copyData'; readonly data: Buffer }
  | { readonly kind: 'copyDone' }
  | { readonly kind: 'copyFail'; readonly reason: string };

/** The client's messages of a kind. */
export type Message<K extends ClientMessage['kind']> = Extract<ClientMessage, { kind: K }>;

/** Codes of the messages after which an error is answered at the next Sync. */
const known = new Set([...'PBDECHQSXdcfFp']);

/** Whether there is such a message; the stream of any other is lost. */
export function isKnown(code: string): boolean {
  return known.has(code);
}

/** Raises 08P01 for a body that is not as the protocol says, 22021 for texts that are no UTF-8. */
export function readMessage(code: string, bytes: Buffer): ClientMessage {
  const body = new Body(bytes);
  // What a client sends of COPY has no further shape.
  if (code === 'd') return { kind: 'copyData', data: body.rest() };
  const message = readBody(code, body);
  body.end();
  return message;
}

function readBody(code: string, body: Body): ClientMessage {
  switch (code) {
    case 'Q':
      return { kind: 'query', text: body.string() };
    case 'P': {
      const [name, text] = [body.string(), body.string()];
      return { kind: 'parse', name, text, typeOids: times(body.count(), () => body.uint32()) };
    }
    case 'B':
      return readBind(body);
    case 'D':
      return { kind: 'describe', target: readTarget(body, 'DESCRIBE'), name: body.string() };
    case 'C':
      return { kind: 'close', target: readTarget(body, 'CLOSE'), name: body.string() };
    case 'E':
      return { kind: 'execute', portal: body.string(), rowsMax: Math.max(0, body.int32()) };
    case 'H':
      return { kind: 'flush' };
    case 'S':
      return { kind: 'sync' };
    case 'X':
      return { kind: 'terminate' };
    case 'c':
      return { kind: 'copyDone' };
    case 'f':
      return { kind: 'copyFail', reason: body.string() };
    case 'F':
      body.rest();
      return raise('feature_not_supported', 'the function call protocol is not supported');
    default:
      return raise('protocol_violation', `unexpected message type ${JSON.stringify(code)}`);
  }
}

function readBind(body: Body): BindMessage {
  const [portal, statement] = [body.string(), body.string()];
  const formats = times(body.count(), () => readFormat(body));
  const count = body.count();
  if (formats.length > 1 && formats.length !== count) {
    const text = `bind message has ${formats.length} parameter formats but ${count} parameters`;
    raise('protocol_violation', text);
  }
  const parameters = times(count, (i): WireParameter => {
    const length = body.int32();
    const format = formats[formats.length === 1 ? 0 : i] ?? 'text';
    return { format, bytes: length === -1 ? null : body.bytes(length) };
  });
  const resultFormats = times(body.count(), () => readFormat(body));
  return { kind: 'bind', portal, statement, parameters, resultFormats };
}

function readTarget(body: Body, message: string): Target {
  const code = String.fromCharCode(body.byte());
  if (code === 'S') return 'statement';
  if (code === 'P') return 'portal';
  return raise('protocol_violation', `invalid ${message} message subtype ${code.charCodeAt(0)}`);
}

function readFormat(body: Body): Format {
  const code = body.int16();
  if (code === 0) return 'text';
  return code === 1
    ? 'binary'
    : raise('invalid_parameter_value', `unsupported format code: ${code}`);
}

function times<T>(count: number, read: (i: number) => T): T[] {
  const list: T[] = [];
  for (let i = 0; i < count; i += 1) list.push(read(i));
  return list;
}
