/**
 * The gate for messages of clients
 * (https://www.postgresql.org/docs/15/protocol-message-formats.html): bytes to a checked
 * {@link ClientMessage}, or an error of the catalogue.
 */
import { DatabaseError, raise } from '../../base/errors.js';
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

const known = new Set([...'PBDECHQSXdcfF']);

/** Whether there is such a message; the stream of any other is lost. */
export function isKnown(code: string): boolean {
  return known.has(code);
}

/** Raises 08P01 for a body that is not as the protocol says, 22021 for texts that are no UTF-8. */
export function readMessage(code: string, bytes: Buffer): ClientMessage {
  const body = new Body(bytes);
  // What a client sends of COPY has no further shape; one that leaves need not be corrected.
  if (code === 'd') return { kind: 'copyData', data: body.rest() };
  if (code === 'X') return { kind: 'terminate' };
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
      return { kind: 'describe', ...readTarget(body, 'DESCRIBE') };
    case 'C':
      return { kind: 'close', ...readTarget(body, 'CLOSE') };
    case 'E':
      return { kind: 'execute', portal: body.string(), rowsMax: Math.max(0, body.int32()) };
    case 'H':
      return { kind: 'flush' };
    case 'S':
      return { kind: 'sync' };
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
  const codes = times(body.count(), () => body.int16());
  const count = body.count();
  if (codes.length > 1 && codes.length !== count) {
    const text = `bind message has ${codes.length} parameter formats but ${count} parameters`;
    raise('protocol_violation', text);
  }
  const parameters: WireParameter[] = [];
  try {
    while (parameters.length < count) {
      const length = body.int32();
      const bytes = length === -1 ? null : body.bytes(length);
      const code = codes[codes.length === 1 ? 0 : parameters.length] ?? 0;
      parameters.push({ format: formatOf(code), bytes });
    }
  } catch (error) {
    throw ofParameter(error, portal, parameters.length);
  }
  const resultFormats = times(body.count(), () => formatOf(body.int16()));
  return { kind: 'bind', portal, statement, parameters, resultFormats };
}

/** An error in reading a parameter says which it is, as PostgreSQL's do; `shown` is what it was given. */
export function ofParameter(error: unknown, portal: string, index: number, shown = ''): unknown {
  if (!(error instanceof DatabaseError)) return error;
  const { kind, message, details } = error;
  const where = portal === '' ? 'unnamed portal' : `portal "${portal}"`;
  const lines = [details.context, `${where} parameter $${index + 1}${shown}`];
  const context = lines.filter((line) => line !== undefined).join('\n');
  return new DatabaseError(kind, message, { ...details, context });
}

function readTarget(
  body: Body,
  message: string,
): { readonly target: Target; readonly name: string } {
  const code = String.fromCharCode(body.byte());
  const name = body.string();
  body.end();
  if (code === 'S') return { target: 'statement', name };
  if (code === 'P') return { target: 'portal', name };
  return raise('protocol_violation', `invalid ${message} message subtype ${code.charCodeAt(0)}`);
}

function formatOf(code: number): Format {
  if (code === 0) return 'text';
  if (code === 1) return 'binary';
  return raise('invalid_parameter_value', `unsupported format code: ${code}`);
}

function times<T>(count: number, read: (i: number) => T): T[] {
  const list: T[] = [];
  for (let i = 0; i < count; i += 1) list.push(read(i));
  return list;
}
