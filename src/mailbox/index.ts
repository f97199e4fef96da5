/**
 * Mailboxes: how the threads of one process send each other records of bytes.
 *
 * Guarantees: records of one thread to another with the same priority arrive whole, once and in
 * order; every way is bounded for new work and for what may be dropped, while replies always pass
 * (they wait in the memory of their sender until there is room); a reader that sleeps is woken by
 * one bell, however many records are written, and an idle thread uses no processor time.
 *
 * Must not know: what the records mean, actors, databases.
 */
export { connectThreads, type MailboxSetup, transferOf } from './connect.js';
export type { RecordVisit } from './inlet.js';
export { Mailbox, type MailboxOptions } from './mailbox.js';
export { mailboxMetrics } from './metrics.js';
export type { RecordFlow } from './outlet.js';
