/**
 * Long texts are parsed on another thread: the parser blocks for seconds and keeps the memory that
 * it once had (pitfall 26). Their trees come back in pieces, each of them a turn of the session.
 */
import { assert } from '../../base/assert.js';
import { raise } from '../../base/errors.js';
import { checkLength, type ParsedStatement, PieceReader, statementsOf } from '../parse/index.js';
import { parsedInTurnMax } from './limits.js';
import type { SessionState } from './state.js';
import type { Work } from './work.js';

/** Bytes of memory for each character of a tree in JSON, as measured. */
const bytesPerCharacter = 3;

/** Whether another thread is to parse the text. */
export function isLong(state: SessionState, text: string | undefined): text is string {
  return text !== undefined && text.length > parsedInTurnMax && state.parser !== undefined;
}

/**
 * The statements of `text`, by the session's parser; the memory of their tree is charged to
 * `textMemory`, for the caller to release. Raises what `parse` raises, and out_of_memory.
 */
export function* parseElsewhere(
  state: SessionState,
  text: string,
): Work<readonly ParsedStatement[]> {
  const { parser, textMemory } = state;
  assert(parser !== undefined, 'there is a parser for long texts');
  checkLength(text, state.place.limits);
  // The text itself, and its copy in UTF-8 for positions.
  textMemory.charge(text.length * bytesPerCharacter);
  state.parses += 1;
  const parse = state.parses;
  state.turn.send(parser, { kind: 'sql.parse', parse, text });
  const reader = new PieceReader();
  try {
    for (;;) {
      const answer = yield 'parse';
      assert(answer !== undefined && 'parse' in answer, 'resumed by the parser');
      // Of a request that was cancelled.
      if (answer.parse !== parse) continue;
      if (answer.kind === 'sql.notParsed') {
        const { kind, message, details } = answer.error;
        raise(kind, message, details);
      }
      textMemory.charge(answer.piece.length * bytesPerCharacter);
      reader.add(answer.piece);
      if (answer.last) return statementsOf(text, reader.tree);
    }
  } catch (error) {
    state.turn.send(parser, { kind: 'sql.stopParsing', parse });
    throw error;
  }
}
