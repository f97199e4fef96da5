/** `npm run kill -- --kills N`: builds when needed, then kills a node under load again and again. */
import { build } from './build.js';

build('all');
await import('../build/test/processes/soak.js');
