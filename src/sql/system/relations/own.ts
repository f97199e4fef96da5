/** What a session has of its own: pg_prepared_statements and pg_cursors. */
import {
  ArrayValue,
  NamedOid,
  printType,
  timestampOfUnixMs,
  typeNamed,
} from '../../types/index.js';
import { always, systemRelation } from '../define.js';
import { catalogSchema } from '../facts.js';
import type { OwnCursor, OwnStatement } from '../system-catalogue.js';

function typesOf(names: readonly string[]): ArrayValue {
  return ArrayValue.of(names.map((name) => new NamedOid(typeNamed(name).oid, printType(name, -1))));
}

export const preparedRelation = systemRelation<OwnStatement>(
  catalogSchema,
  'pg_prepared_statements',
  {
    items: (view) => view.home.prepared(),
    guess: 10,
    values: {
      name: ({ name }) => name,
      statement: ({ statement }) => statement,
      prepare_time: ({ preparedMs }) => timestampOfUnixMs(preparedMs),
      parameter_types: ({ parameters }) => typesOf(parameters),
      from_sql: ({ fromSql }) => fromSql,
      // Plans are shared by all sessions and are never made for values: nobody counts them by statement.
      generic_plans: always(null),
      custom_plans: always(null),
    },
  },
);

export const cursorsRelation = systemRelation<OwnCursor>(catalogSchema, 'pg_cursors', {
  items: (view) => view.home.cursors(),
  guess: 10,
  values: {
    name: ({ name }) => name,
    statement: ({ statement }) => statement,
    is_holdable: ({ hold }) => hold,
    is_binary: always(false),
    is_scrollable: ({ scrolls }) => scrolls,
    creation_time: ({ declaredMs }) => timestampOfUnixMs(declaredMs),
  },
});
