/** `npm run sim -- --seeds N`: builds when needed, then runs the simulator in this process. */
import { build } from './build.js';

build('src');
await import('../dist/sim/main.js');
