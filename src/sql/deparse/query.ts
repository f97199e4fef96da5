/** Queries as get_query_def() of ruleutils.c lays them out. */
import { quoteIdentifier } from '../functions/index.js';
import { as, type ast, kindOf, stringOf, stringsOf, the } from '../parse/index.js';
import type { ExpressionPrinter } from './expression.js';
import { lineMark, Unprintable } from './printing.js';
import type { ColumnName, Witness } from './witness.js';

/** What printing a query needs beside its expressions. */
export interface QueryPrinting {
  readonly witness: Witness;
  readonly pretty: boolean;
  /** The relation of a name, as it is called now. */
  relation(schema: string | undefined, name: string): string;
  /** A column as it is called now. */
  current(column: ColumnName): ColumnName;
}

/** Columns that a query within another one is further to the right. */
const step = 8;

export class QueryPrinter {
  readonly #printing: QueryPrinting;
  readonly #expressions: ExpressionPrinter;
  #base = -step;

  constructor(printing: QueryPrinting, expressions: ExpressionPrinter) {
    this.#printing = printing;
    this.#expressions = expressions;
  }

  /** Columns that a line of an expression begins with. */
  get indent(): number {
    return this.#base + step;
  }

  /** `names` are those of the columns where the query's own are not to be shown. */
  query(body: ast.SelectStmt, names?: readonly string[]): string {
    this.#base += step;
    const text = this.#withClause(body) + this.#body(body, names) + this.#tail(body);
    this.#base -= step;
    return text;
  }

  /** A line `more` columns to the right of where the query begins. */
  #line(more: number): string {
    return `${lineMark}${' '.repeat(this.#base + more)}`;
  }

  #withClause({ withClause }: ast.SelectStmt): string {
    if (withClause === undefined) return '';
    const word = withClause.recursive ? ' WITH RECURSIVE ' : ' WITH ';
    const tables = (withClause.ctes ?? []).map((node) => {
      const {
        ctename = '',
        aliascolnames,
        ctematerialized,
        ctequery,
        search_clause,
        cycle_clause,
      } = the(node, 'CommonTableExpr');
      if (search_clause !== undefined || cycle_clause !== undefined)
        throw new Unprintable('SEARCH');
      const columns = stringsOf(aliascolnames).map(quoteIdentifier);
      const list = columns.length === 0 ? '' : `(${columns.join(', ')})`;
      const how =
        ctematerialized === 'CTEMaterializeAlways'
          ? 'MATERIALIZED '
          : ctematerialized === 'CTEMaterializeNever'
            ? 'NOT MATERIALIZED '
            : '';
      const query = this.query(the(ctequery, 'SelectStmt'));
      const lines = `${this.#line(step)}${query}${this.#line(step)}`;
      return `${quoteIdentifier(ctename)}${list} AS ${how}(${lines})`;
    });
    return `${word}${tables.join(', ')}${this.#line(0)}`;
  }

  #body(body: ast.SelectStmt, names: readonly string[] | undefined): string {
    if (body.op !== undefined && body.op !== 'SETOP_NONE') return this.#setOperation(body, names);
    if (body.valuesLists !== undefined) return this.#values(body.valuesLists);
    return this.#select(body, names);
  }

  #values(lists: readonly ast.Node[]): string {
    const rows = lists.map((row) => {
      const items = the(row, 'List').items ?? [];
      return `(${items.map((item) => this.#expressions.settled(item)).join(',')})`;
    });
    return ` VALUES ${rows.join(', ')}`;
  }

  #setOperation(body: ast.SelectStmt, names: readonly string[] | undefined): string {
    const { larg, rarg, op = '', all } = body;
    if (larg === undefined || rarg === undefined) throw new Unprintable('UNION');
    const word = op.replace('SETOP_', '');
    const isNested = (one: ast.SelectStmt): boolean =>
      one.op !== undefined && one.op !== 'SETOP_NONE';
    const leftDiffers = isNested(larg) && (larg.op !== op || larg.all !== all);
    const left = this.#operand(larg, leftDiffers, names);
    const between = leftDiffers ? `${this.#line(0)}) ` : this.#line(0);
    const right = this.#operand(rarg, isNested(rarg), names);
    const end = isNested(rarg) ? `${this.#line(0)})` : '';
    const open = isNested(rarg) ? '(' : '';
    return `${left}${between}${word}${all ? ' ALL' : ''} ${open}${this.#line(0)}${right}${end}`;
  }

  /** One side of a set operation; `apart` in parentheses, which the caller closes. */
  #operand(body: ast.SelectStmt, apart: boolean, names: readonly string[] | undefined): string {
    const hasTail =
      body.sortClause !== undefined ||
      body.limitCount !== undefined ||
      body.limitOffset !== undefined ||
      body.withClause !== undefined;
    if (hasTail) return `(${this.query(body, names)})`;
    if (!apart) return this.#body(body, names);
    const open = '(';
    this.#base += step;
    const text = `${open}${this.#line(0)}${this.#body(body, names)}`;
    this.#base -= step;
    return text;
  }

  #select(body: ast.SelectStmt, names: readonly string[] | undefined): string {
    const { distinctClause, fromClause, whereClause, havingClause, windowClause } = body;
    const group = this.#groupClause(body);
    return (
      ` SELECT${this.#distinct(distinctClause)} ${this.#targets(body, names)}` +
      this.#from(fromClause) +
      (whereClause === undefined
        ? ''
        : `${this.#line(1)} WHERE ${this.#expressions.top(whereClause, undefined, false)}`) +
      group +
      (havingClause === undefined
        ? ''
        : `${this.#line(0)} HAVING ${this.#expressions.top(havingClause, undefined, false)}`) +
      this.#windows(windowClause)
    );
  }

  #distinct(clause: readonly ast.Node[] | undefined): string {
    if (clause === undefined) return '';
    const keys = clause.filter((node) => Object.keys(node).length > 0);
    if (keys.length === 0) return ' DISTINCT';
    return ` DISTINCT ON (${keys.map((key) => this.#expressions.top(key, undefined, true)).join(', ')})`;
  }

  #targets({ targetList = [] }: ast.SelectStmt, names: readonly string[] | undefined): string {
    const shown: string[] = [];
    for (const node of targetList) {
      const target = the(node, 'ResTarget');
      const value = target.val;
      if (value === undefined) throw new Unprintable('a target');
      const star = this.#printing.witness.starOf(target);
      if (star !== undefined) {
        for (const entry of star) {
          const now = this.#printing.current(entry);
          shown.push(named(qualifiedName(now), now.name, names?.[shown.length] ?? entry.name));
        }
        continue;
      }
      const noted = this.#printing.witness.nameOf(value);
      const column = noted && this.#printing.current(noted).name;
      const name = names?.[shown.length] ?? this.#printing.witness.targetName(target);
      shown.push(named(this.#expressions.settled(value), column ?? '?column?', name));
    }
    return shown.join(`,${this.#line(4)}`);
  }

  #from(items: readonly ast.Node[] | undefined): string {
    if (items === undefined) return '';
    const shown = items.map((item) => this.#item(item));
    return `${this.#line(2)} FROM ${shown.join(`,${this.#line(4)}`)}`;
  }

  #item(node: ast.Node): string {
    switch (kindOf(node)) {
      case 'RangeVar':
        return this.#table(the(node, 'RangeVar'));
      case 'RangeSubselect': {
        const { subquery, alias, lateral } = the(node, 'RangeSubselect');
        const query = this.query(the(subquery, 'SelectStmt'));
        return `${lateral ? 'LATERAL ' : ''}(${query})${aliasText(alias)}`;
      }
      case 'JoinExpr':
        return this.#join(the(node, 'JoinExpr'));
      case 'RangeFunction':
        return this.#function(the(node, 'RangeFunction'));
      default:
        throw new Unprintable(kindOf(node));
    }
  }

  #table({ schemaname, relname = '', alias }: ast.RangeVar): string {
    return `${this.#printing.relation(schemaname, relname)}${aliasText(alias)}`;
  }

  #function(body: ast.RangeFunction): string {
    const { functions = [], alias, lateral, ordinality, coldeflist } = body;
    const [only, second] = functions;
    const call = as(only, 'List')?.items?.[0];
    if (call === undefined || second !== undefined || coldeflist !== undefined) {
      throw new Unprintable('ROWS FROM');
    }
    const name = stringsOf(as(call, 'FuncCall')?.funcname).at(-1) ?? '';
    const text = this.#expressions.top(call, undefined, true);
    const ordered = ordinality ? ' WITH ORDINALITY' : '';
    const shown = quoteIdentifier(alias?.aliasname ?? name);
    const columns = this.#printing.witness.columnsOf(body).map(quoteIdentifier).join(', ');
    return `${lateral ? 'LATERAL ' : ''}${text}${ordered} ${shown}(${columns})`;
  }

  #join(body: ast.JoinExpr): string {
    const { jointype, isNatural, larg, rarg, usingClause, quals, alias } = body;
    if (larg === undefined || rarg === undefined || isNatural || alias !== undefined) {
      throw new Unprintable('a join');
    }
    const { pretty } = this.#printing;
    const words: Readonly<Record<string, string>> = {
      JOIN_LEFT: ' LEFT JOIN ',
      JOIN_RIGHT: ' RIGHT JOIN ',
      JOIN_FULL: ' FULL JOIN ',
    };
    const isCross = quals === undefined && usingClause === undefined;
    const word = words[jointype ?? ''] ?? (isCross ? ' CROSS JOIN ' : ' JOIN ');
    const left = this.#item(larg);
    const inner = this.#item(rarg);
    const right = pretty && kindOf(rarg) === 'JoinExpr' ? `(${inner})` : inner;
    const using =
      usingClause &&
      ` USING (${usingClause.map((one) => quoteIdentifier(stringOf(one))).join(', ')})`;
    const condition = quals === undefined ? '' : this.#expressions.top(quals, undefined, false);
    const on = quals === undefined ? '' : ` ON ${pretty ? condition : `(${condition})`}`;
    const text = `${left}${this.#line(4)}${word}${right}${using ?? on}`;
    return pretty ? text : `(${text})`;
  }

  /** What a key that is a number, or where `byName` a name of the result, stands for. */
  #targetKey(body: ast.SelectStmt, key: ast.Node, byName: boolean): string | undefined {
    const place = as(key, 'A_Const')?.ival?.ival;
    const path = as(key, 'ColumnRef')?.fields;
    const name = byName && path?.length === 1 ? as(path[0], 'String')?.sval : undefined;
    if (place === undefined && name === undefined) return undefined;
    let count = 0;
    for (const node of body.targetList ?? []) {
      const target = the(node, 'ResTarget');
      const star = this.#printing.witness.starOf(target);
      const names = star?.map((one) => one.name) ?? [this.#printing.witness.targetName(target)];
      const found = names.findIndex((own, i) =>
        place === undefined ? own === name : count + i + 1 === place,
      );
      count += names.length;
      if (found < 0) continue;
      const entry = star?.[found];
      if (entry !== undefined) return qualifiedName(this.#printing.current(entry));
      return target.val && this.#key(target.val);
    }
    return undefined;
  }

  #groupClause(body: ast.SelectStmt): string {
    const { groupClause, groupDistinct } = body;
    if (groupClause === undefined) return '';
    if (groupDistinct) throw new Unprintable('GROUP BY DISTINCT');
    const keys = groupClause.map((node) => {
      if (as(node, 'GroupingSet') !== undefined) throw new Unprintable('GROUPING SETS');
      return this.#targetKey(body, node, false) ?? this.#key(node);
    });
    return `${this.#line(1)} GROUP BY ${[...new Set(keys)].join(', ')}`;
  }

  /** Parentheses around whatever is neither a column nor an operator that has its own. */
  #key(node: ast.Node): string {
    const text = this.#expressions.top(node, undefined, true);
    if (this.#printing.witness.nameOf(node) !== undefined) return text;
    const isCall = kindOf(node) === 'FuncCall';
    return this.#printing.pretty || isCall ? `(${text})` : text;
  }

  #windows(clause: readonly ast.Node[] | undefined): string {
    if (clause === undefined) return '';
    const shown = clause.map((node) => {
      const body = the(node, 'WindowDef');
      const { name = '', ...unnamed } = body;
      return `${quoteIdentifier(name)} AS ${this.#expressions.window(unnamed)}`;
    });
    return `${this.#line(1)} WINDOW ${shown.join(', ')}`;
  }

  #tail(body: ast.SelectStmt): string {
    const { sortClause, limitOffset, limitCount, limitOption, lockingClause } = body;
    if (lockingClause !== undefined) throw new Unprintable('FOR UPDATE');
    let text = '';
    if (sortClause !== undefined) {
      const keys = sortClause.map((node) => this.#sortKey(body, node));
      text += `${this.#line(1)} ORDER BY ${keys.join(', ')}`;
    }
    if (limitOffset !== undefined) {
      text += `${this.#line(0)} OFFSET ${this.#expressions.top(limitOffset, undefined, false)}`;
    }
    if (limitCount === undefined) return text;
    const count = this.#expressions.top(limitCount, undefined, false);
    if (limitOption === 'LIMIT_OPTION_WITH_TIES') {
      return `${text}${this.#line(0)} FETCH FIRST (${count}) ROWS WITH TIES`;
    }
    return `${text}${this.#line(0)} LIMIT ${as(limitCount, 'A_Const')?.isnull ? 'ALL' : count}`;
  }

  #sortKey(body: ast.SelectStmt, node: ast.Node): string {
    const { node: key, sortby_dir, sortby_nulls, useOp } = the(node, 'SortBy');
    if (key === undefined || useOp !== undefined) throw new Unprintable('ORDER BY ... USING');
    const shown = this.#targetKey(body, key, true) ?? this.#key(key);
    const isDescending = sortby_dir === 'SORTBY_DESC';
    if (isDescending)
      return `${shown} DESC${sortby_nulls === 'SORTBY_NULLS_LAST' ? ' NULLS LAST' : ''}`;
    return sortby_nulls === 'SORTBY_NULLS_FIRST' ? `${shown} NULLS FIRST` : shown;
  }
}

function qualifiedName({ relation, name }: ColumnName): string {
  const own = quoteIdentifier(name);
  return relation === undefined ? own : `${quoteIdentifier(relation)}.${own}`;
}

function named(text: string, own: string, name: string): string {
  return own === name ? text : `${text} AS ${quoteIdentifier(name)}`;
}

function aliasText(alias: ast.Alias | undefined): string {
  if (alias === undefined) return '';
  const columns = stringsOf(alias.colnames).map(quoteIdentifier);
  const list = columns.length === 0 ? '' : `(${columns.join(', ')})`;
  return ` ${quoteIdentifier(alias.aliasname ?? '')}${list}`;
}
