/** The prepared statements and portals of a connection by their names. */
import { raise } from '../../base/errors.js';
import { binaryCodec } from '../../sql/copy/index.js';
import { portalsMax } from './limits.js';
import type { BindMessage, Target } from './messages.js';
import { boundParameters } from './parameters.js';
import { Portal, type WireStatement } from './portal.js';
import { checkFormats, formatAt } from './rows.js';
import * as write from './writer.js';

export class Prepared {
  readonly statements = new Map<string, WireStatement>();
  readonly portals = new Map<string, Portal>();

  /** Makes a portal; raises what is wrong with the name, the parameters or the formats. */
  bind(message: BindMessage): void {
    const { portal: name, parameters, resultFormats } = message;
    const statement = this.statement(message.statement);
    if (name !== '' && this.portals.has(name)) {
      raise('duplicate_cursor', `cursor "${name}" already exists`);
    }
    if (this.portals.size >= portalsMax) {
      raise('configuration_limit_exceeded', `a connection has at most ${portalsMax} portals`);
    }
    const values = boundParameters(statement.name, parameters, statement.parameterTypes);
    const columns = statement.copy === undefined ? (statement.columns ?? []) : [];
    checkFormats(resultFormats, columns.length);
    for (const [i, { type }] of columns.entries()) {
      // Raises for a type without binary form, before anything is executed.
      if (formatAt(resultFormats, i) === 'binary') binaryCodec(type);
    }
    this.portals.set(name, new Portal(name, statement, values, resultFormats));
  }

  /** Writes what Describe is answered with; raises 26000 and 34000. */
  describe(out: write.MessageWriter, target: Target, name: string): void {
    const portal = target === 'portal' ? this.portal(name) : undefined;
    const { columns, copy, parameterOids } = portal?.statement ?? this.statement(name);
    if (portal === undefined) write.writeParameterDescription(out, parameterOids);
    const formats = portal?.formats ?? [];
    if (columns === undefined || copy !== undefined) out.empty(write.codes.noData);
    else write.writeRowDescription(out, columns, (i) => formatAt(formats, i));
  }

  /** Raises 26000. */
  statement(name: string): WireStatement {
    const statement = this.statements.get(name);
    if (statement !== undefined) return statement;
    const shown = name === '' ? 'unnamed prepared statement' : `prepared statement "${name}"`;
    return raise('invalid_sql_statement_name', `${shown} does not exist`);
  }

  /** Raises 34000. */
  portal(name: string): Portal {
    const portal = this.portals.get(name);
    return portal ?? raise('invalid_cursor_name', `portal "${name}" does not exist`);
  }
}
