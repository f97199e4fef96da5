/**
 * The rules of ARCHITECTURE.md and CONTRIBUTING.md that a machine can check. Lists in docs/ that
 * repeat the code (errors, settings, metrics, limits) are compared both ways; `UPDATE=1` rewrites
 * the lists.
 */
import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { basename, dirname, join, normalize, relative } from 'node:path';
import tap from 'tap';
import ts from 'typescript';
import { errorCatalogue } from '#src/base/errors.js';
import { declaredMetrics } from '#src/base/metrics.js';
import { configOptions } from '#src/node/index.js';

const linesMax = 500;
const functionLinesMax = 70;

/** For each folder of src, the folders that it may import, besides itself. */
const mayImport: Readonly<Record<string, readonly string[]>> = {
  base: [],
  mailbox: ['base'],
  actors: ['mailbox', 'base'],
  storage: ['base'],
  raft: ['storage', 'base'],
  txn: ['storage', 'base'],
  shard: ['raft', 'txn', 'storage', 'actors', 'base'],
  sql: ['shard', 'txn', 'storage', 'actors', 'base'],
  cluster: ['sql', 'shard', 'raft', 'storage', 'actors', 'base'],
  net: ['sql', 'shard', 'actors', 'base'],
  client: ['net', 'base'],
  node: ['cluster', 'net', 'sql', 'shard', 'txn', 'raft', 'storage', 'actors', 'mailbox', 'base'],
  sim: [
    'node',
    'cluster',
    'net',
    'sql',
    'shard',
    'txn',
    'raft',
    'storage',
    'actors',
    'mailbox',
    'base',
  ],
  cli: ['client', 'node', 'net', 'sql', 'actors', 'base'],
  // main.ts and embedded.ts
  '.': ['cli', 'client', 'node', 'net', 'sql', 'actors', 'base'],
};

/** Files other than a folder's door that other folders may import: types and shared vocabulary. */
const openFiles = new Set([
  'actors/actor.ts',
  'storage/engine.ts',
  'storage/keys.ts',
  'shard/protocol.ts',
  'txn/transaction.ts',
  'txn/buffer.ts',
  'sql/session/protocol.ts',
  'sql/types/value.ts',
  'net/protocol.ts',
  'node/config.ts',
]);

/** Folders that only take types from these, so that nothing there can start the other; actor.ts is vocabulary. */
const typesOnly: Readonly<Record<string, readonly string[]>> = {
  shard: ['actors'],
  sql: ['actors'],
  cluster: ['actors', 'sql'],
  client: ['net', 'base'],
};

const pureFolders = ['base', 'raft', 'txn', 'shard', 'sql', 'cluster'];
const impure = [
  /\bfrom 'node:/,
  /\bfrom 'lmdb'/,
  /\bimport\('(node:|lmdb)/,
  /\bDate\b(?!\w)/,
  /\bMath\.random\b/,
  /\bperformance\b\./,
  /\bset(Timeout|Interval|Immediate)\b/,
  /\bqueueMicrotask\b/,
  /\basync\b/,
  /\bawait\b/,
  /\bnew Promise\b/,
  /\bprocess\./,
  /\bcrypto\./,
];

const onlyHere: Readonly<Record<string, RegExp>> = {
  lmdb: /^storage\/lmdb/,
  'ringbuf.js': /^mailbox\//,
  comlink: /^actors\//,
  piscina: /^actors\//,
  fastify: /^net\//,
  '@fastify/websocket': /^net\//,
  ws: /^(net|client)\//,
  'libpg-query': /^sql\//,
  'prom-client': /^net\//,
  commander: /^cli\//,
};

interface Source {
  readonly path: string;
  readonly folder: string;
  readonly text: string;
  readonly ast: ts.SourceFile;
}

function typescriptFiles(root: string): Source[] {
  return readdirSync(root, { recursive: true, withFileTypes: true })
    .filter((file) => file.isFile() && file.name.endsWith('.ts'))
    .map((file) => {
      const path = relative(root, join(file.parentPath, file.name));
      const text = readFileSync(join(root, path), 'utf8');
      const folder = path.includes('/') ? (path.split('/')[0] ?? '.') : '.';
      return {
        path,
        folder,
        text,
        ast: ts.createSourceFile(path, text, ts.ScriptTarget.ES2023, true),
      };
    })
    .sort((a, b) => (a.path < b.path ? -1 : 1));
}

interface Import {
  readonly from: string;
  readonly typesOnly: boolean;
  readonly line: number;
}

function importsOf(source: Source): Import[] {
  const found: Import[] = [];
  const add = (from: ts.Node, types: boolean): void => {
    if (!ts.isStringLiteral(from)) return;
    const line = source.ast.getLineAndCharacterOfPosition(from.getStart()).line + 1;
    found.push({ from: from.text, typesOnly: types, line });
  };
  const visit = (node: ts.Node): void => {
    if (ts.isImportDeclaration(node)) {
      add(node.moduleSpecifier, node.importClause?.isTypeOnly === true);
    } else if (ts.isExportDeclaration(node) && node.moduleSpecifier !== undefined) {
      add(node.moduleSpecifier, node.isTypeOnly);
    } else if (
      ts.isCallExpression(node) &&
      node.expression.kind === ts.SyntaxKind.ImportKeyword &&
      node.arguments[0] !== undefined
    ) {
      add(node.arguments[0], false);
    }
    ts.forEachChild(node, visit);
  };
  visit(source.ast);
  return found;
}

const sources = typescriptFiles('src');
const tests = [...typescriptFiles('test'), ...typescriptFiles('bench')];

/** The file of src that a relative import names. */
function target(source: Source, from: string): string | undefined {
  if (!from.startsWith('.')) return undefined;
  return normalize(join(dirname(source.path), from)).replace(/\.js$/, '.ts');
}

tap.test('imports point one way and through doors', async (t) => {
  const wrong: string[] = [];
  for (const source of sources) {
    for (const { from, typesOnly: types, line } of importsOf(source)) {
      const at = `src/${source.path}:${line}`;
      const file = target(source, from);
      if (file === undefined) {
        const owner = onlyHere[from];
        if (owner !== undefined && !owner.test(source.path)) wrong.push(`${at} imports ${from}`);
        continue;
      }
      const folder = file.includes('/') ? (file.split('/')[0] ?? '.') : '.';
      if (folder === source.folder) continue;
      if (!(mayImport[source.folder] ?? []).includes(folder)) wrong.push(`${at} imports ${file}`);
      if (folder !== 'base' && basename(file) !== 'index.ts' && !openFiles.has(file)) {
        wrong.push(`${at} imports ${file}, not its folder's door`);
      }
      const runs = file !== 'actors/actor.ts';
      if (typesOnly[source.folder]?.includes(folder) === true && runs && !types) {
        wrong.push(`${at} imports more than types from ${file}`);
      }
    }
  }
  t.same(wrong, []);
});

tap.test('pure folders have no I/O, clock, randomness, timers or async functions', async (t) => {
  const wrong: string[] = [];
  for (const source of sources.filter(({ folder }) => pureFolders.includes(folder))) {
    withoutComments(source).forEach((line, index) => {
      for (const pattern of impure) {
        if (pattern.test(line)) {
          wrong.push(`src/${source.path}:${index + 1} ${pattern.source}: ${line.trim()}`);
        }
      }
    });
  }
  t.same(wrong, []);
});

/** The lines of a file with comments and the contents of strings blanked out, imports kept. */
function withoutComments(source: Source): string[] {
  const characters = [...source.text.split('')];
  const blank = (from: number, to: number): void => {
    for (let i = from; i < to; i += 1) if (characters[i] !== '\n') characters[i] = ' ';
  };
  const visit = (node: ts.Node): void => {
    for (const range of ts.getLeadingCommentRanges(source.text, node.getFullStart()) ?? []) {
      blank(range.pos, range.end);
    }
    for (const range of ts.getTrailingCommentRanges(source.text, node.getEnd()) ?? []) {
      blank(range.pos, range.end);
    }
    const literal =
      ts.isStringLiteral(node) ||
      ts.isNoSubstitutionTemplateLiteral(node) ||
      ts.isTemplateHead(node);
    if (literal && !ts.isImportDeclaration(node.parent) && !ts.isExportDeclaration(node.parent)) {
      blank(node.getStart(), node.getEnd());
    }
    node.forEachChild(visit);
  };
  visit(source.ast);
  return characters.join('').split('\n');
}

tap.test('files and functions stay small', async (t) => {
  const wrong: string[] = [];
  for (const source of [...sources, ...tests]) {
    const lines = source.text.split('\n').length - 1;
    if (lines > linesMax) wrong.push(`${source.path}: ${lines} lines`);
    if (!sources.includes(source)) continue;
    const visit = (node: ts.Node): void => {
      if (ts.isFunctionLike(node) && 'body' in node && node.body !== undefined) {
        const start = source.ast.getLineAndCharacterOfPosition(node.getStart()).line;
        const end = source.ast.getLineAndCharacterOfPosition(node.getEnd()).line;
        const length = end - start + 1;
        if (length > functionLinesMax) {
          wrong.push(`src/${source.path}:${start + 1}: a function of ${length} lines`);
        }
      }
      ts.forEachChild(node, visit);
    };
    visit(source.ast);
  }
  t.same(wrong, []);
});

tap.test('every folder has a door that says what it is for', async (t) => {
  const folders = readdirSync('src', { withFileTypes: true }).filter((entry) =>
    entry.isDirectory(),
  );
  for (const { name } of folders) {
    if (name === 'base') continue;
    const door = join('src', name, 'index.ts');
    t.ok(existsSync(door), `${door} exists`);
    if (existsSync(door))
      t.match(readFileSync(door, 'utf8'), /^\/\*\*/, `${door} begins with its doc`);
  }
});

tap.test('no loose ends', async (t) => {
  const wrong: string[] = [];
  const loose =
    /\b(TODO|FIXME|XXX)\b|@ts-(ignore|nocheck)|@ts-expect-error(?! \w)|\bas any(?=\s*[;,)\]])|\.only\(|\bdebugger\b/;
  for (const source of [...sources, ...tests]) {
    if (source.path === 'tidy.test.ts') continue;
    source.text.split('\n').forEach((line, index) => {
      if (loose.test(line)) wrong.push(`${source.path}:${index + 1}: ${line.trim()}`);
    });
    if (/(^|\/)(utils?|helpers?|manager|service|common|misc)\.ts$/.test(source.path)) {
      wrong.push(`${source.path}: a name that says nothing`);
    }
  }
  t.same(wrong, []);
});

tap.test('no file is dead', async (t) => {
  const roots = new Set(['main.ts', 'embedded.ts', 'cli/bin.ts', 'sim/main.ts', 'sim/index.ts']);
  const used = new Set(roots);
  for (const source of sources) {
    for (const { from } of importsOf(source)) {
      const file = target(source, from);
      if (file !== undefined) used.add(file);
    }
    // Worker threads and jobs are named by URL.
    for (const match of source.text.matchAll(/new URL\(\s*'(\.[^']+)\.js'/g)) {
      used.add(normalize(join(dirname(source.path), `${match[1]}.ts`)));
    }
  }
  t.same(
    sources.filter(({ path }) => !used.has(path)).map(({ path }) => path),
    [],
  );
});

/** Replaces or compares the table between the markers of a document. */
function sameTable(
  t: { ok: typeof tap.ok; equal: typeof tap.equal },
  file: string,
  rows: readonly string[],
): void {
  const text = readFileSync(file, 'utf8');
  const begin = text.indexOf('<!-- begin -->\n');
  const end = text.indexOf('<!-- end -->');
  t.ok(begin >= 0 && end > begin, `${file} has its markers`);
  const from = begin + '<!-- begin -->\n'.length;
  const wanted = `${rows.join('\n')}\n`;
  if (process.env.UPDATE === '1') {
    writeFileSync(file, text.slice(0, from) + wanted + text.slice(end));
    return;
  }
  t.equal(text.slice(from, end), wanted, `${file} lists what the code has (UPDATE=1 rewrites it)`);
}

tap.test('documents list what the code has', async (t) => {
  sameTable(t, 'docs/errors.md', [
    '| name | SQLSTATE | retry | what to do |',
    '|---|---|---|---|',
    ...Object.entries(errorCatalogue).map(
      ([name, kind]) => `| \`${name}\` | ${kind.sqlstate} | ${kind.retry} | ${kind.advice} |`,
    ),
  ]);
  sameTable(t, 'docs/metrics.md', [
    '| metric | kind | labels | meaning |',
    '|---|---|---|---|',
    ...[...declaredMetrics()]
      .sort((a, b) => (a.name < b.name ? -1 : 1))
      .map(({ name, kind, labels, help }) => {
        const shown = labels.map((label) => `\`${label}\``).join(', ');
        return `| \`${name}\` | ${kind} | ${shown} | ${help} |`;
      }),
  ]);
  sameTable(t, 'docs/config.md', [
    '| option | default | unit | range | meaning |',
    '|---|---|---|---|---|',
    ...configOptions().map(
      (option) =>
        `| \`${option.path}\` | \`${JSON.stringify(option.default)}\` | ${option.unit} | ${option.range} | ${option.description} |`,
    ),
  ]);
  sameTable(t, 'docs/limits.md', [
    '| limit | value | meaning |',
    '|---|---|---|',
    ...(await limits()),
  ]);
});

/** The numbers that every limits.ts exports, alone or in an object, with what their comments say. */
async function limits(): Promise<string[]> {
  const rows: string[] = [];
  for (const source of sources.filter(({ path }) => basename(path) === 'limits.ts')) {
    const exported = (await import(`#src/${source.path.replace(/\.ts$/, '.js')}`)) as object;
    const meanings = comments(source);
    const add = (name: string, value: number): void => {
      const meaning = meanings.get(name);
      tap.ok(meaning !== undefined, `src/${source.path}: ${name} says what it limits`);
      rows.push(`| \`${dirname(source.path)}: ${name}\` | ${value} | ${meaning} |`);
    };
    for (const [name, value] of Object.entries(exported)) {
      if (typeof value === 'number') add(name, value);
      if (typeof value !== 'object' || value === null) continue;
      for (const [field, limit] of Object.entries(value)) add(field, Number(limit));
    }
  }
  return rows.sort();
}

/** The doc comments of a file by the name of what they describe. */
function comments(source: Source): Map<string, string> {
  const found = new Map<string, string>();
  let before = '';
  const visit = (node: ts.Node): void => {
    const named = ts.isPropertySignature(node) || ts.isVariableDeclaration(node);
    if (named) {
      const holder = ts.isVariableDeclaration(node) ? node.parent.parent : node;
      const parts = ts.getJSDocCommentsAndTags(holder).map((part) => part.getText());
      const own = parts
        .join(' ')
        .replace(/\/\*\*|\*\/|^\s*\*/gm, ' ')
        .replace(/\s+/g, ' ')
        .trim();
      // Members that follow each other without a blank line share the comment of the first.
      if (own !== '') before = own;
      if (before !== '') found.set(node.name.getText(), before);
    }
    ts.forEachChild(node, visit);
  };
  visit(source.ast);
  return found;
}
