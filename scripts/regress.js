/** `npm run regress -- [FILE] [--failures]`: builds when needed, then runs PostgreSQL's regression files. */
import { build } from './build.js';

build('all');
await import('../build/test/regress/main.js');
