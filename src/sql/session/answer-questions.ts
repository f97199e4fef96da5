/** Answers what the functions of an execution have asked for ({@link Questions}). */
import { unreachable } from '../../base/assert.js';
import { raise } from '../../base/errors.js';
import type { Question, Value } from '../types/index.js';
import type { Asker } from './replica.js';
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

function* answerTo(_state: SessionState, _self: Asker, question: Question): Work<Value> {
  switch (question.kind) {
    case 'lock':
    case 'unlock':
    case 'unlockAll':
      return raise('feature_not_supported', 'advisory locks are not supported yet');
    default:
      return unreachable(question);
  }
}
