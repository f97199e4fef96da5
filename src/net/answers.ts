/**
 * Answers of a session as frames of docs/protocol.md. JSON is written directly: how each column is
 * written is chosen once per result, and most values need no escaping.
 */
import { must, unreachable } from '../base/assert.js';
import {
  type DatabaseError,
  type ErrorDetails,
  type ErrorName,
  errorCatalogue,
} from '../base/errors.js';
import { Random } from '../base/random.js';
import type { Column, ErrorFields, Notice, SessionAnswer } from '../sql/session/protocol.js';
import {
  type FunctionContext,
  findTimeZone,
  type Row,
  shortTypeName,
  typeNamed,
  type Value,
} from '../sql/types/index.js';
import type {
  ErrorFrame,
  FrameStatus,
  HelloFrame,
  NoticeFrame,
  NotificationFrame,
  PongFrame,
} from './protocol.js';

type WriteValue = (value: Value) => string;

/** How the rows of one result are written. */
export interface Layout {
  /** `"columns":[...],` for the first frame. */
  readonly head: string;
  readonly writers: readonly WriteValue[];
}

/** Layouts by the columns of a plan, which all results of the plan share within a thread. */
const layouts = new WeakMap<readonly Column[], { printing: string; layout: Layout }>();

/** Settings of printing by lower-case name, where they are not the first ones. */
export type PrintStyle = Readonly<Record<string, string>>;

/** The layout of a result. */
export function layoutOf(columns: readonly Column[], timeZone = 'UTC', style?: PrintStyle): Layout {
  const known = layouts.get(columns);
  const printing = printingKey(timeZone, style);
  if (known !== undefined && known.printing === printing) return known.layout;
  const layout = {
    head: `"columns":${writeColumns(columns)},`,
    writers: columns.map((column) => writerOf(column, timeZone, style)),
  };
  layouts.set(columns, { printing, layout });
  return layout;
}

/** The frame of an answer to request `id`; `layout` is that of the result that rows belong to. */
export function writeAnswer(
  id: number,
  answer: Exclude<SessionAnswer, { kind: 'sql.settings' | 'sql.notice' | 'sql.notification' }>,
  layout: Layout | undefined,
): string {
  switch (answer.kind) {
    case 'sql.rows': {
      const head = answer.columns === undefined ? '' : (layout?.head ?? '');
      const rows = writeRows(answer.rows, layout?.writers ?? []);
      const { completion } = answer;
      const end =
        completion === undefined
          ? ''
          : `,"tag":${JSON.stringify(completion.tag)},"status":"${completion.status}"${
              completion.stale === true ? ',"stale":true' : ''
            }`;
      const more = answer.last ? '' : ',"more":true';
      return `{"op":"rows","id":${id},${head}"rows":[${rows}]${end}${more}}`;
    }
    case 'sql.complete': {
      const { tag, status } = answer.completion;
      const more = answer.last ? '' : ',"more":true';
      return `{"op":"complete","id":${id},"tag":${JSON.stringify(tag)},"status":"${status}"${more}}`;
    }
    case 'sql.prepared': {
      const types = JSON.stringify(answer.parameterTypes.map(({ type }) => shortTypeName(type)));
      const columns = answer.columns === undefined ? 'null' : writeColumns(answer.columns);
      return `{"op":"prepared","id":${id},"paramTypes":${types},"columns":${columns}}`;
    }
    case 'sql.parked':
    case 'sql.closed':
      return `{"op":"closed","id":${id}}`;
    case 'sql.copyIn':
      return `{"op":"copy","id":${id},"credit":${answer.credit}}`;
    case 'sql.failed':
      return writeError(id, answer.error, answer.status);
  }
  return unreachable(answer);
}

/** A `notice` frame; `id` is null when it is of no request. */
export function noticeFrame(id: number | null, { details, ...notice }: Notice): NoticeFrame {
  return { op: 'notice', id, ...notice, ...details };
}

/** A `notification` frame. */
export function notificationFrame({
  channel,
  payload,
  pid,
}: Extract<SessionAnswer, { kind: 'sql.notification' }>): NotificationFrame {
  return { op: 'notification', channel, payload, pid };
}

/** An `error` frame; `id` is null when the error is the connection's. */
export function errorFrame(
  id: number | null,
  error: ErrorFields | DatabaseError,
  status?: FrameStatus,
): ErrorFrame {
  const { sqlstate, retry } = errorCatalogue[error.kind];
  const { kind: name, message, details } = error;
  const more = status === undefined ? {} : { status };
  return { op: 'error', id, sqlstate, name, message, ...details, retry, ...more };
}

/** An {@link errorFrame} as text. */
export function writeError(
  id: number | null,
  error: ErrorFields | DatabaseError,
  status?: FrameStatus,
): string {
  return JSON.stringify(errorFrame(id, error, status));
}

/** The fields of an error that the door itself raises. */
export function doorError(
  kind: ErrorName,
  message: string,
  details: ErrorDetails = {},
): ErrorFields {
  return { kind, message, details };
}

export function writeHello(hello: Omit<HelloFrame, 'op' | 'protocol' | 'status'>): string {
  const frame: HelloFrame = { op: 'hello', protocol: 1, status: 'idle', ...hello };
  return JSON.stringify(frame);
}

export function writePong(frame: Omit<PongFrame, 'op'>): string {
  return JSON.stringify({ op: 'pong', ...frame });
}

function writeColumns(columns: readonly Column[]): string {
  return JSON.stringify(columns.map(({ name, type }) => ({ name, type: shortTypeName(type) })));
}

function writeRows(rows: readonly Row[], writers: readonly WriteValue[]): string {
  let text = '';
  for (const row of rows) {
    text += text === '' ? '[' : ',[';
    for (let i = 0; i < writers.length; i += 1) {
      const value = row[i] ?? null;
      if (i > 0) text += ',';
      text += value === null ? 'null' : (writers[i] as WriteValue)(value);
    }
    text += ']';
  }
  return text;
}

function writerOf(column: Column, timeZone: string, style: PrintStyle | undefined): WriteValue {
  const type = typeNamed(column.type);
  switch (type.name) {
    case 'bool':
      return (value) => (value === true ? 'true' : 'false');
    case 'int2':
    case 'int4':
    case 'oid':
      return String;
    case 'int8':
      return (value) => `"${value}"`;
    case 'text':
    case 'varchar':
    case 'bpchar':
    case 'name':
    case 'unknown':
    case 'json':
      return JSON.stringify;
    case 'uuid':
      return (value) => `"${value}"`;
    default: {
      const context = printContext(timeZone, style);
      if (type.name === 'float4' || type.name === 'float8') {
        return (value) => {
          const printed = type.print(value, context);
          return Number.isFinite(value) ? printed : `"${printed}"`;
        };
      }
      return (value) => JSON.stringify(type.print(value, context));
    }
  }
}

/** Tells apart what results of one plan may be printed by. */
export function printingKey(timeZone: string, style: PrintStyle | undefined): string {
  return style === undefined ? timeZone : timeZone + JSON.stringify(style);
}

/** What printing reads of a session: its time zone and its settings of printing. */
export function printContext(timeZone: string, style?: PrintStyle): FunctionContext {
  return {
    statementTimestamp: 0n,
    transactionTimestamp: 0n,
    clockTimestamp: () => 0n,
    timeZone: must(findTimeZone(timeZone), 'the session knows its time zone'),
    random: new Random(0),
    user: '',
    database: '',
    schema: undefined,
    version: '',
    setting: (name) => style?.[name],
  };
}
