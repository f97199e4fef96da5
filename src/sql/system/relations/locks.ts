/** pg_locks: the advisory locks of all sessions of the cluster. Other locks there are none. */
import { type AdvisoryRow, modeName } from '../../../txn/index.js';
import { always, systemRelation } from '../define.js';
import { catalogSchema } from '../facts.js';

export const locksRelation = systemRelation<AdvisoryRow>(catalogSchema, 'pg_locks', {
  items: (view) => view.home.locks(),
  guess: 10,
  values: {
    locktype: always('advisory'),
    database: ({ name }) => name.database,
    relation: always(null),
    page: always(null),
    tuple: always(null),
    virtualxid: always(null),
    transactionid: always(null),
    classid: ({ name }) => name.classId,
    objid: ({ name }) => name.objectId,
    objsubid: ({ name }) => (name.isPair ? 2 : 1),
    virtualtransaction: ({ node, owner }) => `${node}/${owner.session}`,
    pid: ({ pid }) => pid,
    mode: ({ mode }) => modeName(mode),
    granted: ({ granted }) => granted,
    fastpath: always(false),
    waitstart: always(null),
  },
});
