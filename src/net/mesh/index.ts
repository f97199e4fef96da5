/**
 * The mesh: links to other nodes that carry messages between actors (docs/decisions/0014).
 *
 * Guarantees: messages of one sender to one receiver with the same priority arrive in order and at most
 * once, as long as the link lasts; what is urgent overtakes what is not, in our queues and by windows in
 * the kernel's; bulk has a connection of its own; what waits is bounded, and refused or dropped visibly
 * beyond that, replies apart, whose bound cuts the link. Whoever is not known, speaks another version or sends what
 * does not fit is refused, counted and logged once, and the node lives on. A peer that is gone is told of
 * at once when its process ended, and after `silenceMs` when it fell silent.
 *
 * Must not know: what the messages say, who leads, what a cluster is beyond its id.
 */
export type { PeerAddress } from './dialer.js';
export type { Refusal } from './handshake.js';
export { defaultMeshLimits, type MeshLimits } from './limits.js';
export type { Mesh } from './mesh.js';
export { meshMetrics } from './metrics.js';
export type { LinkStatus, MeshClock, MeshOptions, MeshPeer } from './options.js';

/** Listens for other nodes; raises `address_in_use` and `config_invalid`. */
export async function openMesh(
  options: import('./options.js').MeshOptions,
): Promise<import('./mesh.js').Mesh> {
  const { Mesh } = await import('./mesh.js');
  return Mesh.open(options);
}
