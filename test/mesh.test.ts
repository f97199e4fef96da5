/** The mesh between nodes, over real sockets on loopback, with a proxy where links must suffer. */
import t from 'tap';
import './mesh/carrying.js';
import './mesh/refusals.js';
import './mesh/faults.js';
import './mesh/certificates.js';
import './mesh/wire.js';
import { closeAll } from './mesh/meshes.js';

t.setTimeout(240_000);
t.teardown(closeAll);
