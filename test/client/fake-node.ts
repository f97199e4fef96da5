/** A peer that speaks docs/protocol.md and does what a test tells it to. */
import type { AddressInfo } from 'node:net';
import { type WebSocket, WebSocketServer } from 'ws';
import type { AnswerFrame, ExecuteFrame, FrameValue, RequestFrame } from '#src/net/protocol.js';

/** One connection to the fake. */
export interface FakeSession {
  readonly number: number;
  /** Every frame that came, in order. */
  readonly frames: RequestFrame[];
  /** Names and texts of what was prepared. */
  readonly prepared: Map<string, string>;
  status: 'idle' | 'open' | 'failed';
  send(frame: AnswerFrame): void;
  /** False once the connection has ended. */
  open: boolean;
  /** Cuts the connection without a goodbye. */
  cut(): void;
  /** Says goodbye with a code. */
  leave(code: number): void;
}

/** Answers an execute; the text is that of the prepared statement where one is named. */
export type Answerer = (session: FakeSession, frame: ExecuteFrame, text: string) => void;

export interface FakeNode {
  readonly url: string;
  readonly sessions: FakeSession[];
  answer: Answerer;
  /** Texts that `prepare` refuses. */
  readonly unpreparable: Set<string>;
  /** Texts that came to be executed. */
  readonly executed: string[];
  /** What it says of the leader. */
  leader: string | undefined;
  /** As a process under SIGSTOP: it takes connections and frames, and says nothing. */
  frozen: boolean;
  close(): Promise<void>;
}

const limits = { requestsInFlight: 64, frameBytes: 1e6, statementBytes: 1e6 };

export async function fakeNode(port = 0): Promise<FakeNode> {
  const server = new WebSocketServer({ host: '127.0.0.1', port });
  await new Promise<void>((resolve) => server.once('listening', () => resolve()));
  const node: FakeNode = {
    url: `ws://127.0.0.1:${(server.address() as AddressInfo).port}`,
    sessions: [],
    answer: echo,
    unpreparable: new Set(),
    executed: [],
    leader: undefined,
    frozen: false,
    close: () =>
      new Promise((resolve) => {
        for (const client of server.clients) client.terminate();
        server.close(() => resolve());
      }),
  };
  server.on('connection', (socket) => greet(node, socket));
  return node;
}

function greet(node: FakeNode, socket: WebSocket): void {
  const session: FakeSession = {
    number: node.sessions.length + 1,
    frames: [],
    prepared: new Map(),
    status: 'idle',
    send: (frame) => {
      if (!node.frozen) socket.send(JSON.stringify(frame));
    },
    open: true,
    cut: () => socket.terminate(),
    leave: (code) => socket.close(code, 'it goes'),
  };
  node.sessions.push(session);
  session.send({
    ...{ op: 'hello', protocol: 1, version: '9.9.9', session: session.number },
    ...{ status: 'idle', limits },
    ...(node.leader === undefined ? {} : { leader: node.leader }),
  });
  socket.on('close', () => {
    session.open = false;
  });
  socket.on('message', (data) => {
    const frame = JSON.parse(String(data)) as RequestFrame;
    session.frames.push(frame);
    if (node.frozen) return;
    if (frame.op === 'ping') {
      const leader = node.leader === undefined ? {} : { leader: node.leader };
      session.send({ op: 'pong', id: frame.id, ...leader });
    }
    if (frame.op === 'prepare') prepare(node, session, frame.id, frame.name, frame.sql);
    if (frame.op === 'close') {
      session.prepared.delete(frame.name);
      session.send({ op: 'closed', id: frame.id });
    }
    if (frame.op !== 'execute') return;
    const text = frame.sql ?? session.prepared.get(frame.prepared ?? '');
    node.executed.push(text ?? '');
    if (text === undefined) fail(session, frame.id, '26000', 'no such statement');
    else node.answer(session, frame, text);
  });
}

function prepare(
  node: FakeNode,
  session: FakeSession,
  id: number,
  name: string,
  text: string,
): void {
  if (node.unpreparable.has(text)) {
    fail(session, id, '42P01', 'relation "x" does not exist');
    return;
  }
  session.prepared.set(name, text);
  session.send({
    op: 'prepared',
    id,
    paramTypes: ['int4'],
    columns: [{ name: 'n', type: 'int4' }],
  });
}

/** Transaction commands as a node takes them; everything else gives its text and parameters back. */
export const echo: Answerer = (session, frame, text) => {
  const command = /^(begin|commit|rollback)/.exec(text)?.[1];
  if (command === undefined) {
    const row = [text, JSON.stringify(frame.params ?? [])];
    rows(session, frame.id, { text: 'text', params: 'json' }, [row]);
    return;
  }
  const failed = session.status === 'failed';
  session.status = command === 'begin' ? 'open' : 'idle';
  const tag = command === 'commit' && failed ? 'ROLLBACK' : command.toUpperCase();
  session.send({ op: 'complete', id: frame.id, tag, status: session.status });
};

/** Sends a whole result in one frame. */
export function rows(
  session: FakeSession,
  id: number,
  columns: Readonly<Record<string, string>>,
  values: FrameValue[][],
): void {
  session.send({
    op: 'rows',
    id,
    columns: Object.entries(columns).map(([name, type]) => ({ name, type })),
    rows: values,
    tag: `SELECT ${values.length}`,
    status: session.status,
  });
}

/** Fails a request as the node would; an open transaction fails with it. */
export function fail(
  session: FakeSession,
  id: number,
  sqlstate: string,
  message: string,
  retry: 'never' | 'statement' | 'transaction' | 'later' = 'never',
): void {
  if (session.status === 'open') session.status = 'failed';
  const name = 'some_condition';
  session.send({ op: 'error', id, sqlstate, name, message, retry, status: session.status });
}
