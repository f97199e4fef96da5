/** LISTEN, UNLISTEN and NOTIFY. */
import { must } from '../../base/assert.js';
import { as, type ast, fields } from '../parse/index.js';
import type { Statement } from '../plan/statement.js';
import type { BindContext } from './context.js';

export function bindNotification({ source }: BindContext, node: ast.Node): Statement {
  const listen = as(node, 'ListenStmt');
  if (listen !== undefined) {
    const { conditionname = '' } = fields(source, 'ListenStmt', listen, ['conditionname']);
    return { kind: 'listen', channel: conditionname };
  }
  const unlisten = as(node, 'UnlistenStmt');
  if (unlisten !== undefined) {
    const { conditionname } = fields(source, 'UnlistenStmt', unlisten, ['conditionname']);
    return { kind: 'unlisten', channel: conditionname };
  }
  const notify = must(as(node, 'NotifyStmt'), 'a statement about notifications');
  const read = fields(source, 'NotifyStmt', notify, ['conditionname', 'payload']);
  return { kind: 'notify', channel: read.conditionname ?? '', payload: read.payload ?? '' };
}
