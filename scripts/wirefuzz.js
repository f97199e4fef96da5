/** `npm run wirefuzz -- --messages N --seed S`: builds when needed, then sends a node messages that have gone wrong. */
import { build } from './build.js';

build('all');
await import('../build/test/postgres/fuzz-main.js');
