/** Functions of enums: chapter 9.10 of PostgreSQL's manual. */
import { must } from '../../base/assert.js';
import { raise } from '../../base/errors.js';
import type { EnumLabel, TypeName, Value } from '../types/index.js';
import { ArrayValue, typeNamed } from '../types/index.js';
import { type Definition, specialised } from './definition.js';

function labelsOf([name]: readonly TypeName[]): readonly EnumLabel[] {
  const { form } = typeNamed(must(name, 'a parameter'));
  return form?.kind === 'enum' ? form.labels : [];
}

function atEnd(last: boolean) {
  return (parameters: readonly TypeName[]) => () => {
    const labels = labelsOf(parameters);
    const label = last ? labels.at(-1) : labels[0];
    if (label !== undefined) return label.id;
    const name = typeNamed(must(parameters[0], 'a parameter')).sqlName;
    raise('object_not_in_prerequisite_state', `enum ${name} contains no values`);
  };
}

/** All labels from one to another; NULL stands for the first or the last. */
function range(parameters: readonly TypeName[]) {
  const labels = labelsOf(parameters);
  const indexOf = (id: Value) => labels.findIndex((label) => label.id === id);
  return (from: Value, to: Value): ArrayValue => {
    const first = from === null ? 0 : indexOf(from);
    const last = to === null ? labels.length - 1 : indexOf(to);
    return ArrayValue.of(labels.slice(first, last + 1).map(({ id }) => id));
  };
}

const lenient = { strict: false } as const;

export const enumFunctions: readonly Definition[] = [
  specialised('enum_first(anyenum): anyenum', atEnd(false), lenient),
  specialised('enum_last(anyenum): anyenum', atEnd(true), lenient),
  specialised('enum_range(anyenum, anyenum): anyarray', range, lenient),
  specialised(
    'enum_range(anyenum): anyarray',
    (parameters) => {
      const all = range(parameters);
      return () => all(null, null);
    },
    lenient,
  ),
];
