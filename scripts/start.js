/** `npm start`: builds when needed, then runs the node in this process. */
import { build } from './build.js';

build('src');
process.argv[1] = new URL('../dist/main.js', import.meta.url).pathname;
await import('../dist/main.js');
