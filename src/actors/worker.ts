/** The main module of a worker thread: one {@link Thread}, controlled by comlink. */
import { parentPort, workerData } from 'node:worker_threads';
import * as comlink from 'comlink';
import { must } from '../base/assert.js';
import { DatabaseError } from '../base/errors.js';
import { endpointOf } from './endpoint.js';
import { Thread } from './thread.js';
import type { Notice, ThreadControl, WorkerSetup } from './threads.js';

const setup = workerData as WorkerSetup;

const thread = new Thread(
  setup.thread,
  setup.mailbox,
  (level, event, fields) => {
    notify({ kind: 'log', level, event, fields });
  },
  (error) => {
    if (error instanceof DatabaseError) {
      const { kind, message, details } = error;
      notify({ kind: 'failed', error: kind, message, details });
      return;
    }
    // Thrown outside all turns it ends the thread, and its end ends the process.
    process.nextTick(() => {
      throw error;
    });
  },
);

const control: ThreadControl = {
  boot: () => thread.boot(),
  inspect: () => thread.inspect(),
  control: (command) => thread.control(command),
  setLogLevel: (level) => thread.setLogLevel(level),
  idle: () => thread.idle(),
  stop: () => thread.stop(),
};

comlink.expose(control, endpointOf(must(parentPort, 'not a worker thread')));

function notify(notice: Notice): void {
  setup.notices.postMessage(notice);
}
