/** What texts of regproc, regnamespace and their like name. */
import { raise } from '../../../base/errors.js';
import { oidOf } from '../../catalogue/index.js';
import { type NamedOid, type RegisteredTypeName, typeNamed } from '../../types/index.js';
import { collations } from '../collations.js';
import { catalogSchema } from '../facts.js';
import { operators } from '../operator-facts.js';
import { namespaceNamed } from '../relations/namespace.js';
import { type ProcItem, procsNamed } from '../relations/proc.js';
import type { SystemCatalogue } from '../system-catalogue.js';
import { namedOid } from './naming.js';

/** The parts of a name with dots; in lower case where they are not quoted. Raises invalid_name. */
export function partsOfName(text: string): readonly string[] {
  const parts: string[] = [];
  const part = /\s*(?:"((?:[^"]|"")*)"|([A-Za-z_\u0080-\uffff][\w$\u0080-\uffff]*))\s*(\.|$)/gy;
  for (let end = false; !end; ) {
    const match = part.exec(text);
    if (match === null) raise('invalid_name', 'invalid name syntax');
    parts.push(match[1]?.replaceAll('""', '"') ?? (match[2] ?? '').toLowerCase());
    end = match[3] === '';
  }
  return parts;
}

/** Raises 42883, 42725, 42704 or 3F000. */
export function registeredOid(
  view: SystemCatalogue,
  type: Exclude<RegisteredTypeName, 'regclass' | 'regtype'>,
  text: string,
): NamedOid {
  return namedOid(view, type, find(view, type, text));
}

function find(
  view: SystemCatalogue,
  type: Exclude<RegisteredTypeName, 'regclass' | 'regtype'>,
  text: string,
): number {
  switch (type) {
    case 'regnamespace': {
      const [name = ''] = partsOfName(text);
      const found = namespaceNamed(view, name);
      return found?.oid ?? raise('invalid_schema_name', `schema "${name}" does not exist`);
    }
    case 'regrole': {
      const [name = ''] = partsOfName(text);
      const found = view.catalogue.role(name);
      if (found !== undefined) return oidOf(found.object);
      return raise('undefined_object', `role "${name}" does not exist`);
    }
    case 'regproc': {
      const found = procsOf(view, partsOfName(text));
      const [only] = found;
      if (only === undefined) raise('undefined_function', `function "${text}" does not exist`);
      if (found.length > 1) {
        raise('ambiguous_function', `more than one function named "${text}"`);
      }
      return only.oid;
    }
    case 'regprocedure':
      return procedure(view, text);
    case 'regoper':
    case 'regoperator':
      return operator(view, text, type === 'regoperator');
    case 'regcollation': {
      const name = partsOfName(text).at(-1) ?? '';
      const found = collations.find((one) => one.name === name);
      if (found !== undefined) return found.oid;
      return raise('undefined_object', `collation "${text}" for encoding "UTF8" does not exist`);
    }
  }
}

function procsOf(view: SystemCatalogue, parts: readonly string[]): readonly ProcItem[] {
  const [name = '', schema] = parts.toReversed();
  const { path } = view.lookup;
  return [...procsNamed(view, name)].filter(({ of }) => {
    const own = of?.schema ?? catalogSchema;
    return schema === undefined ? own === catalogSchema || path.includes(own) : own === schema;
  });
}

/** `name(type, type)`. */
function signatureOf(view: SystemCatalogue, text: string): { name: string; types: number[] } {
  const found = /^(.*?)\(\s*(.*?)\s*\)\s*$/s.exec(text);
  if (found === null) raise('invalid_text_representation', 'expected a left parenthesis');
  const [, name = '', list = ''] = found;
  const types = list === '' ? [] : list.split(/\s*,\s*/);
  return { name, types: types.map((type) => typeOid(view, type)) };
}

function typeOid(view: SystemCatalogue, text: string): number {
  if (text.toLowerCase() === 'none') return 0;
  const found = view.home.functions.names?.type(text);
  if (found !== undefined) return typeNamed(found.name).oid;
  return raise('undefined_object', `type "${text}" does not exist`);
}

function procedure(view: SystemCatalogue, text: string): number {
  const { name, types } = signatureOf(view, text);
  const wanted = types.join();
  const found = procsOf(view, partsOfName(name)).find(
    ({ parameters }) => parameters.join() === wanted,
  );
  if (found !== undefined) return found.oid;
  return raise('undefined_function', `function "${text}" does not exist`);
}

function operator(view: SystemCatalogue, text: string, withTypes: boolean): number {
  const bare = (name: string): string => name.trim().replace(/^pg_catalog\./, '');
  if (withTypes) {
    const { name, types } = signatureOf(view, text);
    const [left, right] = types;
    const found = operators().find(
      (one) => one.name === bare(name) && one.left === left && one.right === right,
    );
    return found?.oid ?? raise('undefined_function', `operator does not exist: ${text}`);
  }
  const found = operators().filter(({ name }) => name === bare(text));
  const [only] = found;
  if (only === undefined) raise('undefined_function', `operator does not exist: ${text}`);
  if (found.length > 1) raise('ambiguous_function', `more than one operator named ${text}`);
  return only.oid;
}
