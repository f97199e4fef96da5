/** The other thread of the mailbox tests: sends back what comes, in the lane in which it was told. */
import { parentPort, workerData } from 'node:worker_threads';
import { must } from '#src/base/assert.js';
import { Mailbox, type MailboxSetup } from '#src/mailbox/index.js';

const nothing = new Uint8Array(0);
let flooding = 0;

const mailbox: Mailbox = new Mailbox(workerData as MailboxSetup, {
  onBell: () => run(),
});

function run(): void {
  mailbox.wake();
  const more = mailbox.read(65_536, (_thread, bytes, start, end) => {
    mailbox.write(0, 2, 'reply', Buffer.from(bytes.subarray(start, end)), nothing);
  });
  for (; flooding > 0; flooding -= 1) mailbox.write(0, 2, 'reply', Buffer.alloc(1000, 7), nothing);
  mailbox.flush();
  if (more || !mailbox.sleep()) setImmediate(run);
}

/** A number: so many records of 1,000 bytes are sent without waiting for any room. */
must(parentPort, 'not a worker').on('message', (count: number) => {
  flooding = count;
  run();
});
run();
