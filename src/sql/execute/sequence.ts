/** Numbers of sequences as statements use them. */
import { raise } from '../../base/errors.js';
import type { SequenceDescriptor } from '../catalogue/descriptor.js';
import { sequenceKey } from '../storage-format/index.js';
import type { ExecutionContext } from './execution.js';

/** The next number. Raises sequence_generator_limit_exceeded at the end of one that does not cycle. */
export function takeNumber(
  sequence: SequenceDescriptor,
  context: Pick<ExecutionContext, 'buffer' | 'numbers'>,
): bigint {
  const key = sequenceKey(sequence.database, sequence);
  const counted = context.numbers.take(key, sequence.start, sequence.increment, 1);
  const value = withinBounds(sequence, counted);
  context.buffer.advance(key, counted, sequence.increment < 0n);
  return value;
}

/**
 * The number that a count of the sequence stands for: counts only go on, so that those of a sequence
 * that cycles run beyond its bound and stand for numbers from the other bound on.
 */
export function withinBounds(sequence: SequenceDescriptor, counted: bigint): bigint {
  const { increment, minimum, maximum, cycle, name } = sequence;
  const ascends = increment > 0n;
  const beyond = ascends ? counted - maximum : minimum - counted;
  if (beyond <= 0n) return counted;
  const [word, bound, from] = ascends
    ? ['maximum', maximum, minimum]
    : ['minimum', minimum, maximum];
  if (!cycle) {
    const text = `nextval: reached ${word} value of sequence "${name}" (${bound})`;
    raise('sequence_generator_limit_exceeded', text);
  }
  const step = ascends ? increment : -increment;
  const perCycle = (maximum - minimum) / step + 1n;
  return from + (((beyond - 1n) / step) % perCycle) * increment;
}
