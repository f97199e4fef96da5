/** Storage, from the sorted map to the directory; one process, as a tap file takes long to start. */
import './storage/sorted-map.js';
import './storage/engines.js';
import './storage/failures.js';
import './storage/overlay.js';
import './storage/log-file.js';
import './storage/log-damage.js';
import './storage/log.js';
import './storage/log-recovery.js';
import './storage/keys.js';
import './storage/directory.js';
