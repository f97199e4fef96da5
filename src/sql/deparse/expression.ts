/** Expressions as get_rule_expr() of ruleutils.c prints them. */
import { quoteIdentifier } from '../functions/index.js';
import { as, type ast, kindOf, stringOf, stringsOf, the } from '../parse/index.js';
import type { Expression } from '../plan/expression.js';
import { baseTypeName, type TypeName, typeNamed, type Value } from '../types/index.js';
import { type Constant, constantText } from './constant.js';
import { type Around, isSimple, simple } from './shape.js';
import {
  lineMark,
  plainType,
  present,
  type Printing,
  sameType,
  type Shown,
  Unprintable,
} from './printing.js';
import { syntaxOf } from './syntax.js';

export class ExpressionPrinter {
  readonly #printing: Printing;

  /** CASEs around what is printed. */
  #cases = 0;

  constructor(printing: Printing) {
    this.#printing = printing;
  }

  /** A whole expression. `wanted` is what it was brought to by the place where it stands. */
  top(node: ast.Node, wanted: Expression | undefined, showImplicit: boolean): string {
    return this.#as(node, wanted, showImplicit).text;
  }

  /** A column of a result: what nothing decides is text. */
  settled(node: ast.Node): string {
    const own = this.#own(node);
    const isOpen = own?.kind === 'constant' && own.type.name === 'unknown';
    if (!isOpen) return this.top(node, undefined, true);
    return this.#constant({ ...own, type: { name: 'text', modifier: -1 } }).text;
  }

  /** In parentheses if it needs them there. */
  within(node: ast.Node, around: Around, wanted?: Expression, showImplicit = true): string {
    const { text, shape } = this.#as(node, wanted, showImplicit);
    return this.#printing.pretty && !isSimple(shape, around) ? `(${text})` : text;
  }

  #own(node: ast.Node): Expression | undefined {
    return this.#printing.witness.expressionOf(node);
  }

  /** An expression in the type that its place has brought it to. */
  #as(node: ast.Node, wanted: Expression | undefined, showImplicit: boolean): Shown {
    const own = this.#own(node);
    if (wanted === undefined || own === undefined || sameType(own, wanted)) {
      return this.#node(node, own);
    }
    if (own.type.name === 'unknown' && wanted.kind === 'constant') return this.#constant(wanted);
    if (own.type.name === 'unknown') return this.#node(node, wanted);
    if (!showImplicit) return this.#node(node, own);
    return this.#cast(node, wanted.type.name, wanted.type.modifier);
  }

  /** `x::type`. */
  #cast(node: ast.Node, type: string, modifier: number): Shown {
    const { pretty } = this.#printing;
    const inner = this.#node(node, this.#own(node));
    const shown = this.#printing.typeText(plainType(type), modifier);
    const needsNone = pretty && isSimple(inner.shape, { kind: 'cast' });
    const text = needsNone ? inner.text : `(${inner.text})`;
    return { text: `${text}::${shown}`, shape: { kind: 'cast', of: inner.shape } };
  }

  #constant(constant: Extract<Expression, { kind: 'constant' }>): Shown {
    const { functions } = this.#printing;
    const typeText = (name: string, modifier: number): string =>
      this.#printing.typeText(plainType(name), modifier);
    return { text: constantText(constant, 'needed', functions, typeText), shape: simple };
  }

  #node(node: ast.Node, own: Expression | undefined): Shown {
    switch (kindOf(node)) {
      case 'A_Const':
        if (own?.kind === 'constant') return this.#constant(own);
        throw new Unprintable('a constant');
      case 'ParamRef':
        return { text: `$${as(node, 'ParamRef')?.number ?? 0}`, shape: simple };
      case 'ColumnRef':
        return { text: this.#column(node), shape: simple };
      case 'A_Expr':
        return this.#operation(the(node, 'A_Expr'), own);
      case 'BoolExpr':
        return this.#boolean(the(node, 'BoolExpr'));
      case 'NullTest': {
        const { arg, nulltesttype } = the(node, 'NullTest');
        const verb = nulltesttype === 'IS_NULL' ? 'IS NULL' : 'IS NOT NULL';
        return this.#test(`${this.within(present(arg), { kind: 'test' })} ${verb}`);
      }
      case 'BooleanTest': {
        const { arg, booltesttype = '' } = the(node, 'BooleanTest');
        const verb = booltesttype.replaceAll('_', ' ');
        return this.#test(`${this.within(present(arg), { kind: 'test' })} ${verb}`);
      }
      case 'TypeCast':
        return this.#explicitCast(the(node, 'TypeCast'), own);
      case 'FuncCall':
        return this.#call(the(node, 'FuncCall'), own);
      case 'CollateClause': {
        const { arg, collname } = the(node, 'CollateClause');
        const name = stringsOf(collname).map(quoteIdentifier).join('.');
        const text = `${this.within(present(arg), { kind: 'other' })} COLLATE ${name}`;
        return { text: this.#bracketed(text), shape: { kind: 'other' } };
      }
      default:
        return this.#construct(node, own);
    }
  }

  /** Parentheses where nobody thinks about which are needed. */
  #bracketed(text: string): string {
    return this.#printing.pretty ? text : `(${text})`;
  }

  #test(text: string): Shown {
    return { text: this.#bracketed(text), shape: { kind: 'test' } };
  }

  #column(node: ast.Node): string {
    const found = this.#printing.witness.nameOf(node);
    if (found === undefined) throw new Unprintable('a column');
    const { relation, name } = this.#printing.current(found);
    if (relation === undefined && name === 'value' && !this.#printing.qualified) return 'VALUE';
    const shown = quoteIdentifier(name);
    if (!this.#printing.qualified || relation === undefined) return shown;
    return `${quoteIdentifier(relation)}.${shown}`;
  }

  #operation(body: ast.A_Expr, own: Expression | undefined): Shown {
    const { kind, lexpr, rexpr } = body;
    const name = stringsOf(body.name).at(-1) ?? '';
    const right = present(rexpr);
    const pairs = kind === 'AEXPR_OP' ? this.#rows(name, lexpr, right, own) : undefined;
    if (pairs !== undefined) return pairs;
    switch (kind) {
      case 'AEXPR_OP':
      case 'AEXPR_LIKE':
      case 'AEXPR_ILIKE':
      case 'AEXPR_SIMILAR':
        return this.#operator(name === '!=' ? '<>' : name, lexpr, right, own);
      case 'AEXPR_DISTINCT':
      case 'AEXPR_NOT_DISTINCT': {
        const verb = kind === 'AEXPR_DISTINCT' ? 'IS DISTINCT FROM' : 'IS NOT DISTINCT FROM';
        const test: Around = { kind: 'test' };
        const sides = own?.kind === 'isDistinct' ? [own.left, own.right] : [];
        const shown = `${this.within(present(lexpr), test, sides[0])} ${verb} ${this.within(right, test, sides[1])}`;
        return this.#test(shown);
      }
      case 'AEXPR_NULLIF':
        return {
          text: `NULLIF(${this.top(present(lexpr), undefined, true)}, ${this.#beside(present(lexpr), right)})`,
          shape: simple,
        };
      case 'AEXPR_IN':
        return this.#in(present(lexpr), the(right, 'List').items ?? [], name === '<>', own);
      case 'AEXPR_BETWEEN':
      case 'AEXPR_NOT_BETWEEN':
        return this.#between(body, own);
      case 'AEXPR_OP_ANY':
      case 'AEXPR_OP_ALL': {
        const word = kind === 'AEXPR_OP_ANY' ? 'ANY' : 'ALL';
        const left = this.within(present(lexpr), { kind: 'other' });
        const text = `${left} ${name} ${word} (${this.within(right, { kind: 'other' })})`;
        return { text: this.#bracketed(text), shape: { kind: 'other' } };
      }
      default:
        throw new Unprintable(`${kind}`);
    }
  }

  /** A literal beside an expression has its type. */
  #beside(other: ast.Node, node: ast.Node): string {
    const type = this.#own(other)?.type;
    const own = this.#own(node);
    if (own?.kind !== 'constant' || own.type.name !== 'unknown' || type === undefined) {
      return this.top(node, undefined, true);
    }
    return this.#constant({
      ...own,
      type: { name: baseTypeName(type.name as TypeName), modifier: -1 },
    }).text;
  }

  #operator(
    name: string,
    left: ast.Node | undefined,
    right: ast.Node,
    own: Expression | undefined,
  ): Shown {
    const given = own?.kind === 'call' ? own.arguments : [];
    if (left === undefined) {
      const operand = this.within(
        right,
        { kind: 'operator', name: undefined, first: true },
        given[0],
      );
      return {
        text: this.#bracketed(`${name} ${operand}`),
        shape: { kind: 'operator', name: undefined },
      };
    }
    const first = this.within(left, { kind: 'operator', name, first: true }, given[0]);
    const second = this.within(right, { kind: 'operator', name, first: false }, given[1]);
    return {
      text: this.#bracketed(`${first} ${name} ${second}`),
      shape: { kind: 'operator', name },
    };
  }

  /** Rows that are equal are so column by column. */
  #rows(
    name: string,
    left: ast.Node | undefined,
    right: ast.Node,
    own: Expression | undefined,
  ): Shown | undefined {
    const first = as(left, 'RowExpr')?.args;
    const second = as(right, 'RowExpr')?.args;
    if (first === undefined || second === undefined) return undefined;
    if (name !== '=' && name !== '<>') throw new Unprintable('an order of rows');
    const operator = name === '=' ? ('and' as const) : ('or' as const);
    const bound = own?.kind === operator ? own.operands : [];
    const parts = first.map((node, i) => {
      const { text, shape } = this.#operator(name, node, present(second[i]), bound[i]);
      const isBare = !this.#printing.pretty || isSimple(shape, { kind: 'bool', operator });
      return isBare ? text : `(${text})`;
    });
    const text = parts.join(operator === 'and' ? ' AND ' : ' OR ');
    return { text: this.#bracketed(text), shape: { kind: 'bool', operator } };
  }

  #in(
    left: ast.Node,
    items: readonly ast.Node[],
    negated: boolean,
    own: Expression | undefined,
  ): Shown {
    if (own?.kind !== 'in') throw new Unprintable('IN of rows');
    const other: Around = { kind: 'other' };
    const ownType = this.#own(left)?.type.name ?? '';
    const common = own.operand.type.name;
    // varchar is compared as text, while the list is one of varchar.
    const isCast = plainType(ownType) === 'varchar' && plainType(common) === 'text';
    const list = items.map((item, i) => {
      const wanted = own.list[i];
      const literal = this.#own(item)?.type.name === 'unknown' && wanted?.kind === 'constant';
      if (isCast && literal) {
        return this.#constant({ ...wanted, type: { name: 'varchar', modifier: -1 } }).text;
      }
      return this.top(item, wanted, true);
    });
    const array = `ARRAY[${list.join(', ')}]`;
    const shown = isCast
      ? this.#printing.pretty
        ? `${array}::text[]`
        : `(${array})::text[]`
      : array;
    const verb = negated ? '<> ALL' : '= ANY';
    const operand = this.within(left, other, own.operand);
    const text = `${operand} ${verb} (${shown})`;
    return { text: this.#bracketed(text), shape: other };
  }

  /** BETWEEN is two comparisons. */
  #between(body: ast.A_Expr, own: Expression | undefined): Shown {
    const { kind, lexpr, rexpr } = body;
    const [low, high] = the(rexpr, 'List').items ?? [];
    const negated = kind === 'AEXPR_NOT_BETWEEN';
    const sides = own?.kind === 'and' || own?.kind === 'or' ? own.operands : [];
    const operator = negated ? ('or' as const) : ('and' as const);
    const parts = [low, high].map((bound, i) => {
      const name = (negated ? ['<', '>'] : ['>=', '<='])[i] ?? '';
      const { text, shape } = this.#operator(name, present(lexpr), present(bound), sides[i]);
      return this.#printing.pretty && !isSimple(shape, { kind: 'bool', operator })
        ? `(${text})`
        : text;
    });
    const word = negated ? ' OR ' : ' AND ';
    return { text: this.#bracketed(parts.join(word)), shape: { kind: 'bool', operator } };
  }

  #boolean({ boolop, args = [] }: ast.BoolExpr): Shown {
    const operator = boolop === 'NOT_EXPR' ? 'not' : boolop === 'OR_EXPR' ? 'or' : 'and';
    const shown = args.map((arg) => this.within(arg, { kind: 'bool', operator }, undefined, false));
    const text =
      operator === 'not' ? `NOT ${shown[0]}` : shown.join(operator === 'or' ? ' OR ' : ' AND ');
    return { text: this.#bracketed(text), shape: { kind: 'bool', operator } };
  }

  #explicitCast({ arg, typeName }: ast.TypeCast, own: Expression | undefined): Shown {
    const node = present(arg);
    if (own === undefined || typeName === undefined) throw new Unprintable('a cast');
    const inner = this.#own(node);
    if (own.kind === 'constant' && (inner === undefined || inner.type.name === 'unknown')) {
      const { name, modifier } = own.type;
      if (modifier < 0) return this.#constant(own);
      const plain = { ...own, value: this.#unfitted(name, inner, own) };
      const bare = constantText(plain, 'never', this.#printing.functions, () => '');
      return { text: `${bare}::${this.#printing.typeText(name, modifier)}`, shape: simple };
    }
    if (inner !== undefined && sameType(inner, own)) return this.#node(node, inner);
    if (inner === undefined) {
      const shown = this.#printing.typeText(plainType(own.type.name), own.type.modifier);
      const array = this.#node(node, undefined);
      return { text: `${array.text}::${shown}`, shape: simple };
    }
    return this.#cast(node, own.type.name, own.type.modifier);
  }

  /** A literal's value before it was fitted to a length. */
  #unfitted(type: string, literal: Expression | undefined, fitted: Constant): Value {
    if (literal?.kind !== 'constant' || typeof literal.value !== 'string') return fitted.value;
    return typeNamed(type).parse(literal.value, -1, this.#printing.functions);
  }

  #call(body: ast.FuncCall, own: Expression | undefined): Shown {
    const path = stringsOf(body.funcname);
    const name = path.at(-1) ?? '';
    const given =
      this.#printing.witness.argumentsOf(body) ??
      (own?.kind === 'call' && own.function.name === name ? own.arguments : []);
    const args = (body.args ?? []).map((arg, i) => this.top(arg, given[i], true));
    const special = syntaxOf(body, name, args);
    if (special !== undefined) return special;
    const schema =
      path.length > 1 && path.at(-2) !== 'pg_catalog'
        ? `${quoteIdentifier(path.at(-2) ?? '')}.`
        : '';
    const list = body.agg_star ? '*' : `${body.agg_distinct ? 'DISTINCT ' : ''}${args.join(', ')}`;
    const keys = body.agg_order?.map((key) => this.#keyOf(key, body.args ?? [], args)).join(', ');
    const inside = keys === undefined || body.agg_within_group ? list : `${list} ORDER BY ${keys}`;
    const within = body.agg_within_group ? ` WITHIN GROUP (ORDER BY ${keys ?? ''})` : '';
    const filter =
      body.agg_filter === undefined
        ? ''
        : ` FILTER (WHERE ${this.top(body.agg_filter, undefined, false)})`;
    const over = body.over === undefined ? '' : ` OVER ${this.window(body.over)}`;
    return {
      text: `${schema}${quoteIdentifier(name)}(${inside})${within}${filter}${over}`,
      shape: simple,
    };
  }

  /** A key of ORDER BY in a call: one that is an argument has the argument's type. */
  #keyOf(node: ast.Node, args: readonly ast.Node[], shown: readonly string[]): string {
    const key = present(the(node, 'SortBy').node);
    const own = this.top(key, undefined, true);
    const place = args.findIndex((arg) => this.top(arg, undefined, true) === own);
    const given = shown[place];
    return this.sortKey(
      node,
      given === undefined || given === own || !this.#printing.pretty
        ? (given ?? own)
        : `(${given})`,
    );
  }

  sortKey(node: ast.Node, text?: string): string {
    const { node: key, sortby_dir, sortby_nulls } = the(node, 'SortBy');
    const shown = text ?? this.top(present(key), undefined, true);
    const isDescending = sortby_dir === 'SORTBY_DESC';
    const nullsFirst = sortby_nulls === 'SORTBY_NULLS_FIRST';
    const nullsLast = sortby_nulls === 'SORTBY_NULLS_LAST';
    if (isDescending) return `${shown} DESC${nullsLast ? ' NULLS LAST' : ''}`;
    return nullsFirst ? `${shown} NULLS FIRST` : shown;
  }

  window(body: ast.WindowDef): string {
    if (body.name !== undefined) return quoteIdentifier(body.name);
    const parts: string[] = [];
    if (body.refname !== undefined) parts.push(quoteIdentifier(body.refname));
    const partition = (body.partitionClause ?? []).map((one) => this.top(one, undefined, true));
    if (partition.length > 0) parts.push(`PARTITION BY ${partition.join(', ')}`);
    const order = (body.orderClause ?? []).map((one) => this.sortKey(one));
    if (order.length > 0) parts.push(`ORDER BY ${order.join(', ')}`);
    // Frames other than that which holds without one.
    if ((body.frameOptions ?? defaultFrame) !== defaultFrame) throw new Unprintable('a frame');
    return `(${parts.join(' ')})`;
  }

  #construct(node: ast.Node, own: Expression | undefined): Shown {
    const all = (nodes: readonly ast.Node[] | undefined, wanted: readonly Expression[]): string =>
      (nodes ?? []).map((one, i) => this.top(one, wanted[i], true)).join(', ');
    switch (kindOf(node)) {
      case 'CoalesceExpr': {
        const wanted = own?.kind === 'coalesce' ? own.operands : [];
        return { text: `COALESCE(${all(the(node, 'CoalesceExpr').args, wanted)})`, shape: simple };
      }
      case 'MinMaxExpr': {
        const { args, op } = the(node, 'MinMaxExpr');
        const wanted = own?.kind === 'extreme' ? own.operands : [];
        const name = op === 'IS_GREATEST' ? 'GREATEST' : 'LEAST';
        return { text: `${name}(${all(args, wanted)})`, shape: simple };
      }
      case 'A_ArrayExpr': {
        const { elements } = the(node, 'A_ArrayExpr');
        const wanted = own?.kind === 'call' ? own.arguments : [];
        return { text: `ARRAY[${all(elements, wanted)}]`, shape: simple };
      }
      case 'RowExpr':
        return { text: `ROW(${all(the(node, 'RowExpr').args, [])})`, shape: simple };
      case 'SQLValueFunction': {
        const { op = '', typmod = -1 } = the(node, 'SQLValueFunction');
        const word = op.replace('SVFOP_', '').replace(/_N$/, '');
        return { text: op.endsWith('_N') ? `${word}(${typmod})` : word, shape: simple };
      }
      case 'CaseExpr':
        return this.#case(the(node, 'CaseExpr'), own);
      case 'SubLink':
        return this.#subquery(the(node, 'SubLink'));
      case 'A_Indirection':
        return this.#indirection(the(node, 'A_Indirection'));
      default:
        throw new Unprintable(kindOf(node));
    }
  }

  #case({ arg, args = [], defresult }: ast.CaseExpr, own: Expression | undefined): Shown {
    const lines: string[] = [];
    const bound = own?.kind === 'case' ? own : undefined;
    const line = lineMark + ' '.repeat(this.#printing.indent() + 4 * this.#cases);
    this.#cases += 1;
    for (const [i, node] of args.entries()) {
      const { expr, result } = the(node, 'CaseWhen');
      const when = bound?.branches[i];
      const compared = when?.when.kind === 'call' ? when.when.arguments[1] : undefined;
      const test = this.top(present(expr), arg === undefined ? undefined : compared, false);
      lines.push(`${line}    WHEN ${test} THEN ${this.top(present(result), when?.then, true)}`);
    }
    const subject = arg === undefined ? '' : ` ${this.top(arg, undefined, true)}`;
    const none = bound === undefined ? 'NULL' : this.#nothing(bound.otherwise);
    const rest = defresult === undefined ? none : this.top(defresult, bound?.otherwise, true);
    this.#cases -= 1;
    const text = `${line}CASE${subject}${lines.join('')}${line}    ELSE ${rest}${line}END`;
    return { text, shape: simple };
  }

  /** NULL of a type, which nobody wrote. */
  #nothing(otherwise: Expression): string {
    return otherwise.kind === 'constant' ? this.#constant(otherwise).text : 'NULL';
  }

  #subquery({ subLinkType, testexpr, operName, subselect }: ast.SubLink): Shown {
    const query = this.#printing.query(the(subselect, 'SelectStmt'));
    const left = testexpr === undefined ? '' : this.within(testexpr, { kind: 'other' });
    const name = stringsOf(operName).at(-1) ?? '=';
    switch (subLinkType) {
      case 'EXISTS_SUBLINK':
        return { text: `(EXISTS (${query}))`, shape: simple };
      case 'EXPR_SUBLINK':
        return { text: `(${query})`, shape: simple };
      case 'ARRAY_SUBLINK':
        return { text: `ARRAY(${query})`, shape: simple };
      case 'ANY_SUBLINK': {
        const verb = operName === undefined ? 'IN' : `${name} ANY`;
        return { text: `(${left} ${verb} (${query}))`, shape: simple };
      }
      case 'ALL_SUBLINK':
        return { text: `(${left} ${name} ALL (${query}))`, shape: simple };
      default:
        throw new Unprintable('a subquery');
    }
  }

  #indirection({ arg, indirection = [] }: ast.A_Indirection): Shown {
    const base = present(arg);
    const isColumn = kindOf(base) === 'ColumnRef';
    const first = this.top(base, undefined, true);
    const isField = as(indirection[0], 'String') !== undefined;
    const parts = indirection.map((part) => {
      if (as(part, 'String') !== undefined) return `.${quoteIdentifier(stringOf(part))}`;
      const { is_slice, lidx, uidx } = the(part, 'A_Indices');
      const show = (node: ast.Node | undefined): string =>
        node === undefined ? '' : this.top(node, undefined, false);
      return is_slice ? `[${show(lidx)}:${show(uidx)}]` : `[${show(uidx)}]`;
    });
    const bracketed = isField || !isColumn ? `(${first})` : first;
    return { text: `${bracketed}${parts.join('')}`, shape: simple };
  }
}

/** FRAMEOPTION_DEFAULTS: RANGE from the first row to the current one. */
const defaultFrame = 1058;
