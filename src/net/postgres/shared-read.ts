/**
 * Reading of sockets into one buffer that all share, in place of a new one for each piece that comes. Node offers
 * that (`onread` of net.Socket) for sockets that it connects, not for those of a server; what it sets there is
 * set here, where it is found. Where not, bytes go on to come as 'data'.
 */
import type { Socket } from 'node:net';

/** The first `length` bytes of the buffer came; they are gone after the call. */
export type OnRead = (length: number, buffer: Buffer) => void;

const sharedBytes = 65_536;
const shared = Buffer.allocUnsafeSlow(sharedBytes);

interface Handle {
  useUserBuffer?(buffer: Uint8Array): void;
}

/** Has `onRead` called for all that comes from now on; false where that cannot be. 'end' comes as before. */
export function readShared(socket: Socket, onRead: OnRead): boolean {
  const handle = (socket as unknown as { readonly _handle?: Handle })._handle;
  const names = new Map(
    Object.getOwnPropertySymbols(socket).map((symbol) => [symbol.description, symbol]),
  );
  const [buffer, callback, next] = ['kBuffer', 'kBufferCb', 'kBufferGen'].map((name) => {
    return names.get(name);
  });
  const isKnown = buffer !== undefined && callback !== undefined && next !== undefined;
  // What has come already is handed out as 'data' first.
  if (!isKnown || handle?.useUserBuffer === undefined || socket.readableLength > 0) return false;
  const fields = socket as unknown as Record<symbol, unknown>;
  if (fields[buffer] !== null || fields[callback] !== null || fields[next] !== null) return false;
  fields[callback] = (length: number, bytes: Buffer): boolean => {
    onRead(length, bytes);
    return true;
  };
  fields[buffer] = shared;
  handle.useUserBuffer(shared);
  return true;
}
