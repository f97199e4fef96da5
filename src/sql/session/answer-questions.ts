/** Answers what the functions of an execution have asked for ({@link Questions}). */
import { unreachable } from '../../base/assert.js';
import type { Question, Value } from '../types/index.js';
import { takeLock, unlock } from './advisory-locks.js';
import type { Asker } from './replica.js';
import { gatherSessions, signal, sleep } from './signals.js';
import type { SessionState } from './state.js';
import type { Work } from './work.js';

/** Answers the questions of the last execution, in order, up to the first answer that is not as was guessed. */
export function* answerQuestions(state: SessionState, self: Asker): Work<void> {
  const { questions } = state;
  for (const { question, guess } of questions.wanted) {
    const answer = yield* answerTo(state, self, question);
    questions.answer(question, answer);
    // Those behind it may not be asked when the statement goes another way.
    if (answer !== guess) return;
  }
}

function* answerTo(state: SessionState, self: Asker, question: Question): Work<Value> {
  switch (question.kind) {
    case 'lock':
      return yield* takeLock(state, self, question);
    case 'unlock':
      return unlock(state, question);
    case 'unlockAll':
      state.locks?.unlockAll();
      return true;
    case 'sleep':
      yield* sleep(state, state.progress.request, question.ms);
      return '';
    case 'sessions':
      return JSON.stringify(yield* gatherSessions(state, self));
    case 'signal': {
      const { what, pid, waitMs } = question;
      return yield* signal(state, self, { what, pid, waitMs, request: 0 });
    }
    default:
      return unreachable(question);
  }
}
