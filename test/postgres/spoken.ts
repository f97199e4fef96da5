/** Messages as scripts write them: those of a client to bytes, those of a server to text. */
import { must } from '#src/base/assert.js';
import { typeOfOid } from '#src/sql/types/index.js';
import { bytesOf, cstring, int16, int32, message, type Shown, startup } from './raw.js';
import { readFields } from './script.js';

const codes = { SSLRequest: 80_877_103, GSSENCRequest: 80_877_104, CancelRequest: 80_877_102 };

/** The key that a connection was given, by the connection's name. */
export type Keys = ReadonlyMap<string, Buffer>;

const list = (text: string | undefined): string[] =>
  text === undefined || text === '' ? [] : text.split(',');

/** OIDs of the types that scripts state. */
const oids: Readonly<Record<string, number>> = {
  ...{ bool: 16, bytea: 17, int8: 20, int2: 21, int4: 23, text: 25, json: 114, unknown: 705 },
  ...{ float8: 701, varchar: 1043, date: 1082, timestamptz: 1184, numeric: 1700, uuid: 2950 },
  ...{ '-': 0, none: 999_999 },
};

function oidOf(name: string): Buffer {
  return int32(must(oids[name], `the OID of ${name}`));
}

/** `null`, `x00ff` for bytes, anything else as text; a part of `values=`. */
function parameterOf(written: string): Buffer {
  if (written === 'null') return int32(-1);
  const bytes = /^x[0-9a-f]*$/.test(written)
    ? Buffer.from(written.slice(1), 'hex')
    : Buffer.from(written);
  return Buffer.concat([int32(bytes.length), bytes]);
}

/** The bytes of `Query "SELECT 1"` and its like. */
export function encode(text: string, keys: Keys): Buffer {
  const space = text.indexOf(' ');
  const name = space < 0 ? text : text.slice(0, space);
  const fields = readFields(space < 0 ? '' : text.slice(space + 1));
  const [first = ''] = [fields.get('0')];
  const named = (field: string): string => fields.get(field) ?? '';
  switch (name) {
    case 'Startup': {
      const { version = '196608', ...parameters } = Object.fromEntries(fields);
      return startup(Number(version), parameters);
    }
    case 'SSLRequest':
    case 'GSSENCRequest':
      return Buffer.concat([int32(8), int32(codes[name])]);
    case 'CancelRequest': {
      const key = Buffer.from(must(keys.get(named('of')), 'a connection with a key'));
      if (fields.has('wrong')) key.writeInt32BE(key.readInt32BE(4) ^ 1, 4);
      return Buffer.concat([int32(16), int32(codes.CancelRequest), key]);
    }
    case 'Query':
      return message('Q', cstring(first));
    case 'Parse': {
      const types = list(fields.get('types')).map(oidOf);
      return message('P', cstring(named('name')), cstring(first), int16(types.length), ...types);
    }
    case 'Bind':
      return encodeBind(fields);
    case 'Describe':
    case 'Close': {
      const portal = fields.has('portal');
      const target = Buffer.from(portal ? 'P' : 'S');
      return message(
        name === 'Close' ? 'C' : 'D',
        target,
        cstring(named(portal ? 'portal' : 'statement')),
      );
    }
    case 'Execute':
      return message('E', cstring(named('portal')), int32(Number(fields.get('rows') ?? 0)));
    case 'Sync':
      return message('S');
    case 'Flush':
      return message('H');
    case 'Terminate':
      return message('X');
    case 'CopyData':
      return message(
        'd',
        fields.has('bytes') ? Buffer.from(named('bytes'), 'hex') : Buffer.from(first),
      );
    case 'CopyDone':
      return message('c');
    case 'CopyFail':
      return message('f', cstring(first));
    // Any code and body, and bytes that are no message.
    case 'Message':
      return message(first, Buffer.from(named('body'), 'hex'));
    case 'Bytes':
      return Buffer.from(first, 'hex');
    default:
      throw new Error(`no message ${name}`);
  }
}

function encodeBind(fields: ReadonlyMap<string, string>): Buffer {
  const formats = list(fields.get('formats')).map((code) => int16(Number(code)));
  const results = list(fields.get('results')).map((code) => int16(Number(code)));
  const values = list(fields.get('values')).map(parameterOf);
  return message(
    'B',
    ...[cstring(fields.get('portal') ?? ''), cstring(fields.get('statement') ?? '')],
    ...[int16(formats.length), ...formats, int16(values.length), ...values],
    ...[int16(results.length), ...results],
  );
}

const names: Readonly<Record<string, string>> = {
  ...{ '1': 'ParseComplete', '2': 'BindComplete', '3': 'CloseComplete', n: 'NoData' },
  ...{ s: 'PortalSuspended', I: 'EmptyQueryResponse', c: 'CopyDone' },
};

const statusNames: Readonly<Record<string, string>> = { I: 'idle', T: 'open', E: 'failed' };

function textsOf(body: Buffer): string[] {
  return body.toString('utf8').split('\0').slice(0, -1);
}

/** What is shown of errors and notices: where in the source they come from is nobody's business. */
const fieldNames: Readonly<Record<string, string>> = {
  ...{ D: 'detail', H: 'hint', P: 'position', W: 'context', s: 'schema', t: 'table' },
  ...{ c: 'column', d: 'datatype', n: 'constraint' },
};

function decodeError(name: string, body: Buffer): string {
  const fields = textsOf(body).filter((field) => field !== '');
  const by = new Map(fields.map((field) => [field.charAt(0), field.slice(1)]));
  const more = Object.entries(fieldNames).flatMap(([code, field]) => {
    const value = by.get(code);
    return value === undefined ? [] : [` ${field}=${JSON.stringify(value)}`];
  });
  return `${name} ${by.get('S')} ${by.get('C')} ${JSON.stringify(by.get('M'))}${more.join('')}`;
}

function typeName(oid: number): string {
  return typeOfOid(oid)?.name ?? (oid < 16_384 ? String(oid) : 'made');
}

/** `id:int4`, with what is not as usual: modifier, table's column, format. */
function decodeColumns(body: Buffer): string {
  const columns: string[] = [];
  for (let at = 2; at < body.length; ) {
    const end = body.indexOf(0, at);
    const name = body.toString('utf8', at, end);
    const modifier = body.readInt32BE(end + 13);
    columns.push(
      `${name}:${typeName(body.readInt32BE(end + 7))}${modifier === -1 ? '' : `(${modifier})`}` +
        `${body.readInt32BE(end + 1) === 0 ? '' : `@${body.readInt16BE(end + 5)}`}` +
        `${body.readInt16BE(end + 17) === 1 ? ':binary' : ''}`,
    );
    at = end + 19;
  }
  return `RowDescription ${columns.join(' ')}`.trimEnd();
}

function decodeValue(bytes: Buffer | null): string {
  if (bytes === null) return 'null';
  const text = bytes.toString('utf8');
  // biome-ignore lint/suspicious/noControlCharactersInRegex: they tell bytes from texts
  const isText = Buffer.from(text).equals(bytes) && !/[\0-\x08\x0e-\x1f]/.test(text);
  return isText ? JSON.stringify(text) : `x${bytes.toString('hex')}`;
}

function decodeCopy(name: string, body: Buffer): string {
  const format = (code: number): string => (code === 1 ? 'binary' : 'text');
  const columns = Array.from({ length: body.readInt16BE(1) }, (_, i) =>
    body.readInt16BE(3 + 2 * i),
  );
  return [name, format(body[0] ?? 0), ...columns.map(format)].join(' ');
}

/** A message of a server as scripts write it. */
export function decode({ code, body }: Shown): string {
  switch (code) {
    case 'R':
      return `Authentication ${body.readInt32BE()}`;
    case 'K':
      return 'BackendKeyData';
    case 'S':
      return `ParameterStatus ${textsOf(body)
        .map((text) => JSON.stringify(text))
        .join(' ')}`;
    case 'Z':
      return `ReadyForQuery ${statusNames[body.toString()] ?? body.toString()}`;
    case 'T':
      return decodeColumns(body);
    case 't': {
      const types = Array.from({ length: body.readInt16BE() }, (_, i) =>
        body.readInt32BE(2 + 4 * i),
      );
      return ['ParameterDescription', ...types.map(typeName)].join(' ');
    }
    case 'D':
      return ['DataRow', ...bytesOf(body).map(decodeValue)].join(' ');
    case 'C':
      return `CommandComplete ${JSON.stringify(textsOf(body)[0])}`;
    case 'E':
      return decodeError('ErrorResponse', body);
    case 'N':
      return decodeError('NoticeResponse', body);
    case 'A':
      return `NotificationResponse ${textsOf(body.subarray(4))
        .map((text) => JSON.stringify(text))
        .join(' ')}`;
    case 'G':
      return decodeCopy('CopyInResponse', body);
    case 'H':
      return decodeCopy('CopyOutResponse', body);
    case 'd':
      return `CopyData ${decodeValue(body)}`;
    case 'v': {
      const minor = body.readInt32BE() & 0xffff;
      return ['NegotiateProtocolVersion', `3.${minor}`, ...textsOf(body.subarray(8))].join(' ');
    }
    default:
      return names[code] ?? `Message ${code} ${body.toString('hex')}`;
  }
}
