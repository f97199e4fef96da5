/** pg_get_functiondef and its like. */
import type { FunctionDescriptor, FunctionParameter } from '../../catalogue/index.js';
import { quoteIdentifier } from '../../functions/index.js';
import type { Value } from '../../types/index.js';
import { type ProcItem, procByOid } from '../relations/proc.js';
import type { SystemCatalogue } from '../system-catalogue.js';
import { formatType } from './naming.js';
import type { SystemFunction } from './index.js';

const words: Readonly<Record<string, string>> = { o: 'OUT ', b: 'INOUT ', v: 'VARIADIC ' };

interface Argument {
  readonly name: string;
  readonly mode: string;
  readonly type: number;
  readonly default: string | undefined;
}

function argumentsOf({ of, ...proc }: ProcItem): readonly Argument[] {
  const types = proc.allParameters ?? proc.parameters;
  const modes = proc.modes ?? types.map((_, i) => plainMode(proc, i, types.length));
  return types.map((type, i) => ({
    name: proc.names?.[i] ?? '',
    mode: modes[i] ?? 'i',
    type,
    default: of?.parameters[i]?.default,
  }));
}

function plainMode({ variadic }: Pick<ProcItem, 'variadic'>, i: number, count: number): string {
  return variadic !== 0 && i === count - 1 ? 'v' : 'i';
}

function printed(
  view: SystemCatalogue,
  { name, mode, type, default: value }: Argument,
  withDefaults: boolean,
): string {
  const shown = name === '' ? '' : `${quoteIdentifier(name)} `;
  const given =
    withDefaults && value !== undefined
      ? ` DEFAULT ${view.home.deparse.expression(value, undefined, true)}`
      : '';
  return `${words[mode] ?? ''}${shown}${formatType(view, type, null)}${given}`;
}

function argumentText(view: SystemCatalogue, proc: ProcItem, withDefaults: boolean): string {
  return argumentsOf(proc)
    .filter(({ mode }) => mode !== 't')
    .map((one) => printed(view, one, withDefaults))
    .join(', ');
}

/** Without results and defaults. */
function identityText(view: SystemCatalogue, proc: ProcItem): string {
  return argumentsOf(proc)
    .filter(({ mode }) => mode !== 't' && mode !== 'o')
    .map((one) => printed(view, one, false))
    .join(', ');
}

function resultText(view: SystemCatalogue, proc: ProcItem): string {
  const columns = argumentsOf(proc).filter(({ mode }) => mode === 't');
  if (columns.length > 0) {
    const shown = columns.map((one) => printed(view, { ...one, mode: 'i' }, false));
    return `TABLE(${shown.join(', ')})`;
  }
  return `${proc.returnsSet ? 'SETOF ' : ''}${formatType(view, proc.result, null)}`;
}

function definition(view: SystemCatalogue, proc: ProcItem, of: FunctionDescriptor): string {
  const name = `${quoteIdentifier(of.schema)}.${quoteIdentifier(of.name)}`;
  const attributes = [
    of.volatility === 'volatile' ? '' : of.volatility.toUpperCase(),
    of.strict ? 'STRICT' : '',
    of.securityDefiner ? 'SECURITY DEFINER' : '',
  ].filter((word) => word !== '');
  const line = attributes.length === 0 ? '' : ` ${attributes.join(' ')}\n`;
  const quote = of.body.includes('$function$') ? '$function1$' : '$function$';
  return (
    `CREATE OR REPLACE FUNCTION ${name}(${argumentText(view, proc, true)})\n` +
    ` RETURNS ${resultText(view, proc)}\n LANGUAGE sql\n${line}AS ${quote}${of.body}${quote}\n`
  );
}

function ofProc(print: (view: SystemCatalogue, proc: ProcItem) => Value): SystemFunction {
  return (view, oid) => {
    const proc = procByOid(view, oid as number);
    return proc === undefined ? null : print(view, proc);
  };
}

/** The default of an argument, counted from 1. */
function argumentDefault(view: SystemCatalogue, proc: ProcItem, place: number): Value {
  const one: FunctionParameter | undefined = proc.of?.parameters[place - 1];
  return one?.default === undefined
    ? null
    : view.home.deparse.expression(one.default, undefined, false);
}

export const routineFunctions: Readonly<Record<string, SystemFunction>> = {
  pg_get_function_arguments: ofProc((view, proc) => argumentText(view, proc, true)),
  pg_get_function_identity_arguments: ofProc(identityText),
  pg_get_function_result: ofProc(resultText),
  pg_get_function_sqlbody: () => null,
  pg_get_functiondef: ofProc((view, proc) =>
    proc.of === undefined ? null : definition(view, proc, proc.of),
  ),
  pg_get_function_arg_default: (view, oid, place) => {
    const proc = procByOid(view, oid as number);
    return proc === undefined ? null : argumentDefault(view, proc, place as number);
  },
};
