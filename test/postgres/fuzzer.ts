/**
 * The fuzzer of the protocol: conversations that have gone wrong, before and after sign-in, by a seed.
 * The node must live, answer in whole messages, execute nothing of strangers and forget everybody.
 */
import { connect, type Socket } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { Random } from '#src/base/random.js';
import { Chance, letIn, outsider, troubled, validMessage } from './conversations.js';
import { query, RawClient } from './raw.js';
import { decode } from './spoken.js';

/** Messages of one connection, its start-up apart. */
const messagesMax = 100;
const parallel = 8;
/** Connections after which one that behaves must be served. */
const goodEvery = 200;
const patienceMs = 30_000;

export interface FuzzOptions {
  readonly address: string;
  readonly messages: number;
  readonly seed: number;
  /** Told of each thousand messages. */
  readonly progress?: (messages: number) => void;
}

export interface FuzzReport {
  readonly messages: number;
  readonly connections: number;
  /** What should not have been, each with the seed of its conversation. */
  readonly problems: readonly string[];
}

const refusedByte = 0x4e;
/** Whoever is not let in hears of nothing but that. */
const strangersHear = new Set([...'REv']);

/** Why an answer stream is not well formed; undefined when it is. */
function problemOf(bytes: Buffer, letIn: boolean): string | undefined {
  let at = 0;
  // Requests for encryption are answered by a byte; a notice, which is an N too, no stranger hears.
  while (!letIn && bytes[at] === refusedByte) at += 1;
  let ended = false;
  while (at < bytes.length) {
    if (ended) return 'something follows a fatal error';
    if (bytes.length - at < 5) return 'the stream ends within the head of a message';
    const length = bytes.readInt32BE(at + 1);
    if (length < 4 || bytes.length - at < length + 1) return 'the stream ends within a message';
    const code = bytes.toString('latin1', at, at + 1);
    const body = bytes.subarray(at + 5, at + 1 + length);
    if (!letIn && !strangersHear.has(code)) return `a stranger heard ${code}`;
    let shown: string;
    try {
      shown = decode({ code, body });
    } catch (error) {
      return `${code} cannot be read: ${String(error)}`;
    }
    if (shown.startsWith('Message ')) return `there is no such answer: ${shown}`;
    if (/^ErrorResponse \w+ (XX|58)/.test(shown)) return shown;
    ended = shown.startsWith('ErrorResponse FATAL') && !shown.includes('57014');
    at += length + 1;
  }
  return undefined;
}

/** Writes in pieces as a network may deliver them; gives what came until the end, or how else it went. */
async function converse(
  socket: Socket,
  bytes: Buffer,
  chance: Chance,
): Promise<Buffer | 'hangs' | 'left'> {
  const chunks: Buffer[] = [];
  const closed = new Promise<'closed'>((resolve) => {
    socket.on('data', (chunk) => chunks.push(chunk));
    socket.on('error', () => undefined);
    socket.on('close', () => resolve('closed'));
  });
  const pieces = chance.once(3) ? 1 + chance.below(6) : 1;
  for (let i = 0, at = 0; i < pieces; i += 1) {
    const end = i === pieces - 1 ? bytes.length : at + chance.below(bytes.length - at + 1);
    socket.write(bytes.subarray(at, end));
    at = end;
    if (pieces > 1) await sleep(0);
  }
  const leaves = chance.once(10);
  if (leaves) socket.destroy();
  else socket.end();
  const late = new AbortController();
  const patience = sleep(patienceMs, 'hangs' as const, { signal: late.signal }).catch(
    () => 'hangs' as const,
  );
  const how = await Promise.race([closed, patience]);
  late.abort();
  socket.destroy();
  if (how === 'hangs') return how;
  // Who leaves in a hurry gets a part, and so does who is cut.
  return leaves || socket.errored !== null ? 'left' : Buffer.concat(chunks);
}

interface Conversation {
  readonly seed: number;
  readonly messages: number;
  readonly problem: string | undefined;
}

async function hold(address: string, seed: number): Promise<Conversation> {
  const chance = new Chance(new Random(seed));
  const isStranger = chance.once(4);
  const plan = isStranger
    ? outsider(chance)
    : Array.from({ length: 1 + chance.below(messagesMax) }, () => validMessage(chance));
  const messages = chance.once(20) ? plan : troubled(plan, chance);
  const bytes = Buffer.concat(isStranger ? messages : [letIn, ...messages]);
  const [host = '', port = ''] = address.split(':');
  const socket = connect({ host, port: Number(port) });
  const came = await converse(socket, bytes, chance);
  const count = messages.length;
  if (came === 'hangs') return { seed, messages: count, problem: 'the connection hangs' };
  const problem = came === 'left' ? undefined : problemOf(came, !isStranger);
  return { seed, messages: count, problem };
}

async function behaves(address: string): Promise<boolean> {
  const { client } = await RawClient.open(address);
  const answer = await client.ask(query('SELECT 1'));
  client.close();
  return answer.codes === 'TDCZI';
}

export async function fuzz({
  address,
  messages,
  seed,
  progress,
}: FuzzOptions): Promise<FuzzReport> {
  const problems: string[] = [];
  let [sent, connections] = [0, 0];
  let told = 0;
  const worker = async (): Promise<void> => {
    while (sent < messages && problems.length < 10) {
      connections += 1;
      if (connections % goodEvery === 0 && !(await behaves(address))) {
        problems.push(`after ${connections} connections a good one is not served`);
      }
      const one = await hold(address, seed + connections);
      sent += one.messages;
      if (one.problem !== undefined) problems.push(`seed ${one.seed}: ${one.problem}`);
      if (sent - told >= 1000) {
        told = sent;
        progress?.(sent);
      }
    }
  };
  await Promise.all(Array.from({ length: parallel }, worker));
  return { messages: sent, connections, problems };
}
