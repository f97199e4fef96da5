/** `npm run slt -- [PATH]`: builds when needed, then holds sessions to sqllogictest's records as PGlite answers them. */
import { build } from './build.js';

build('all');
await import('../build/test/slt/main.js');
