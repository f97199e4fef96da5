/**
 * The actor runtime: it holds actors at places, brings messages to them in order and by priority,
 * performs what their turns asked for, starts them again when they throw, and carries messages
 * between threads.
 *
 * Guarantees: messages of one sender to one receiver with the same priority arrive in order and at
 * most once, also when some of them wait for durability; the effects of a turn happen all or, when it
 * threw, none; every queue is bounded for new work, which is refused visibly, while replies never
 * wait for room. A message can be lost only with its process, by being droppable, or because its
 * receiver is gone (counted as a dead letter).
 *
 * Must not know: databases, sockets, files. The {@link Dispatcher} does not even know Node: clock,
 * schedule, log and transport are handed in, so that the simulator drives the same code.
 */
export * from './actor.js';
export { decodeMessage, encodeMessage, registerClass } from './codec.js';
export { Dispatcher } from './dispatcher.js';
export type {
  Boot,
  Booted,
  BootSetup,
  Carrier,
  Clock,
  DispatcherOptions,
  Envelope,
  LogSink,
  Parcel,
  PlaceJournal,
  Schedule,
} from './host.js';
export { Jobs, type JobsOptions } from './jobs.js';
export type { ActorLimits } from './limits.js';
export { processClock } from './loop.js';
export { Runtime, type RuntimeOptions, workersFor } from './runtime.js';
export type { ThreadReport } from './threads.js';
