/**
 * Transpiles the changed TypeScript files of src, test and bench without checking types, for a short
 * loop while working: `node scripts/quick.js && node build/test/x.test.js`. `npm run check` checks.
 */
import { mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { dirname, join, relative } from 'node:path';
import ts from 'typescript';

const roots = { src: 'dist', test: 'build/test', bench: 'build/bench' };
const compilerOptions = {
  target: ts.ScriptTarget.ES2023,
  module: ts.ModuleKind.ESNext,
  verbatimModuleSyntax: true,
  isolatedModules: true,
};

for (const [root, out] of Object.entries(roots)) {
  for (const file of readdirSync(root, { recursive: true, withFileTypes: true })) {
    if (!file.isFile() || !file.name.endsWith('.ts')) continue;
    const source = join(file.parentPath, file.name);
    const target = join(out, relative(root, source)).replace(/\.ts$/, '.js');
    const made = statSync(target, { throwIfNoEntry: false });
    if (made !== undefined && made.mtimeMs >= statSync(source).mtimeMs) continue;
    mkdirSync(dirname(target), { recursive: true });
    writeFileSync(
      target,
      ts.transpileModule(readFileSync(source, 'utf8'), { compilerOptions, fileName: source })
        .outputText,
    );
  }
}
