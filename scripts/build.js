/** Builds dist/ and build/ when they are absent or older than a source. */
import { spawnSync } from 'node:child_process';
import { readdirSync, statSync } from 'node:fs';
import { join } from 'node:path';

const sources = ['src', 'test', 'bench'];
const settings = ['tsconfig.json', 'tsconfig.base.json', 'package-lock.json'];

function newest(root) {
  let latest = 0;
  for (const file of readdirSync(root, { recursive: true, withFileTypes: true })) {
    if (!file.isFile() || !/\.(ts|json)$/.test(file.name)) continue;
    latest = Math.max(latest, statSync(join(file.parentPath, file.name)).mtimeMs);
  }
  return latest;
}

/** `what` is `src` for the product alone, or `all`. Exits the process when the build fails. */
export function build(what) {
  const roots = what === 'src' ? ['src'] : sources;
  const changed = Math.max(
    ...roots.map(newest),
    ...settings.map((file) => statSync(file, { throwIfNoEntry: false })?.mtimeMs ?? 0),
  );
  const stamps = roots.map((root) => `build/${root}.tsbuildinfo`);
  const built = stamps.map((stamp) => statSync(stamp, { throwIfNoEntry: false })?.mtimeMs ?? 0);
  const entry = statSync('dist/main.js', { throwIfNoEntry: false });
  if (entry !== undefined && Math.min(...built) >= changed) return;
  const arguments_ = ['node_modules/typescript/bin/tsc', '-b'];
  if (what === 'src') arguments_.push('src');
  const done = spawnSync(process.execPath, arguments_, { stdio: 'inherit' });
  if (done.status !== 0) process.exit(done.status ?? 1);
}
