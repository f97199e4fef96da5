/**
 * The doors to the network: HTTP and SQL over WebSocket (docs/protocol.md).
 *
 * Guarantees: whatever a client sends, the node lives on and the client is told; what a client can
 * make the node hold is bounded by the limits of the configuration; answers come in the order of the
 * requests; no web page gets in that was not let in.
 *
 * Must not know: how statements are executed, where sessions run, what a shard or a store is. It
 * sees sessions through {@link SqlService} only.
 */
export { copyMessage } from './frame-session.js';
export { errorFrame, noticeFrame, notificationFrame } from './answers.js';
export { type FrameLayout, frameLayoutOf } from './frame-values.js';
export type { HttpDoor, HttpDoorOptions } from './http.js';
export { openPostgresDoor, type PostgresDoor } from './postgres/index.js';
export {
  faultInRule,
  makeVerifier,
  readVerifier,
  Seats,
  ServerTls,
  SignIn,
  type SignInRule,
  trustsOthers,
} from './sign-in/index.js';
export type {
  Accounts,
  CancelForwarding,
  ConnectOptions,
  DoorLimits,
  HealthCheck,
  Log,
  NodePlace,
  NodeStatus,
  RequestLog,
  SessionListener,
  SqlConnection,
  SqlService,
} from './host.js';

/** Listens for HTTP and SQL; raises `address_in_use`. Loads fastify, which others never do. */
export async function openHttpDoor(
  options: import('./http.js').HttpDoorOptions,
): Promise<import('./http.js').HttpDoor> {
  const { openHttpDoor: open } = await import('./http.js');
  return open(options);
}
