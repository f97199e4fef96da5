/**
 * Given to a node as `node --import`: a directory beside which there is a file of the same name that ends in
 * `.full` has no room left, as far as the node is told.
 */
import fs from 'node:fs';
import { syncBuiltinESMExports } from 'node:module';
import { dirname } from 'node:path';

const { statfsSync } = fs;

function isFull(path: string): boolean {
  const above = dirname(path);
  return fs.existsSync(`${path}.full`) || (above !== path && isFull(above));
}

Object.assign(fs, {
  statfsSync: (path: string) => ({ ...statfsSync(path), ...(isFull(path) ? { bavail: 0 } : {}) }),
});
syncBuiltinESMExports();
