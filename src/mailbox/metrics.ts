/** What a mailbox counts, by the thread of the other side. */
import { declareMetric } from '../base/metrics.js';

export const mailboxMetrics = {
  records: declareMetric({
    name: 'shardforge_mailbox_records_total',
    help: 'Records written to another thread.',
    kind: 'counter',
    labels: ['from', 'to'],
  }),
  bytes: declareMetric({
    name: 'shardforge_mailbox_bytes_total',
    help: 'Bytes of the records written to another thread.',
    kind: 'counter',
    labels: ['from', 'to'],
  }),
  refused: declareMetric({
    name: 'shardforge_mailbox_refused_total',
    help: 'New work that was refused because the way to another thread was full.',
    kind: 'counter',
    labels: ['from', 'to'],
  }),
  dropped: declareMetric({
    name: 'shardforge_mailbox_dropped_total',
    help: 'Records that may be dropped and met a full way to another thread.',
    kind: 'counter',
    labels: ['from', 'to'],
  }),
  bells: declareMetric({
    name: 'shardforge_mailbox_bells_total',
    help: 'Times that another thread was woken.',
    kind: 'counter',
    labels: ['from', 'to'],
  }),
  overflow: declareMetric({
    name: 'shardforge_mailbox_overflow_bytes',
    help: 'Bytes that wait in memory for room on the way to another thread.',
    kind: 'gauge',
    labels: ['from', 'to'],
  }),
} as const;
