/** `npm run sqlfuzz -- --statements N`: builds when needed, then compares random statements with PGlite. */
import { build } from './build.js';

build('all');
await import('../build/test/sqlfuzz/main.js');
