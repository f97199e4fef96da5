/** Jobs for the test of the pool. */
import { threadId } from 'node:worker_threads';
import { raise } from '#src/base/errors.js';

export function double(number: number): { readonly result: number; readonly thread: number } {
  return { result: number * 2, thread: threadId };
}

export function refuse(): never {
  raise('syntax_error', 'as asked', { position: 3 });
}
