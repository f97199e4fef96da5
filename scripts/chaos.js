/** `npm run chaos -- --faults N`: builds when needed, then troubles a cluster of processes under load. */
import { build } from './build.js';

build('all');
await import('../build/test/cluster/main.js');
