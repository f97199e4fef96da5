/** What options of a configuration have to do with each other. */
import type { NodeConfig } from './config.js';
import { trustsOthers } from '../net/index.js';
import { inMemory } from './in-memory.js';

/** What of the configuration contradicts itself, as a message that names the options. */
export function contradictionIn(config: NodeConfig): string | undefined {
  return (
    timesContradict(config.raft) ??
    meshContradicts(config) ??
    clusterContradicts(config) ??
    tlsContradicts(config) ??
    isInsecure(config)
  );
}

function timesContradict(raft: NodeConfig['raft']): string | undefined {
  const { heartbeatMs, electionMsMin, electionMsMax } = raft;
  if (electionMsMin < 2 * heartbeatMs) {
    return 'raft.electionMsMin must be at least twice raft.heartbeatMs';
  }
  if (electionMsMax <= electionMsMin) {
    return 'raft.electionMsMax must be more than raft.electionMsMin';
  }
  return undefined;
}

function meshContradicts({ mesh, data }: NodeConfig): string | undefined {
  if (mesh.advertise !== '' && !isAddress(mesh.advertise)) {
    return 'mesh.advertise must be host:port';
  }
  if (!mesh.enabled) return undefined;
  if (mesh.advertise === '' && isAnyHost(mesh.host)) {
    return `mesh.host ${mesh.host} needs mesh.advertise: where other nodes reach this one`;
  }
  if (data.directory === inMemory) {
    return 'mesh.enabled needs a data.directory: a node that forgets its votes breaks the cluster';
  }
  switch (mesh.security) {
    case 'loopback':
      if (isLoopback(mesh.host)) return undefined;
      return 'mesh.security loopback needs a mesh.host on loopback, such as 127.0.0.1';
    case 'secret':
      return mesh.secretFile === '' ? 'mesh.security secret needs mesh.secretFile' : undefined;
    case 'tls': {
      const missing = (['certificateFile', 'keyFile', 'caFile'] as const).find(
        (name) => mesh[name] === '',
      );
      return missing === undefined ? undefined : `mesh.security tls needs mesh.${missing}`;
    }
  }
}

function clusterContradicts({ mesh, cluster }: NodeConfig): string | undefined {
  const { seeds, join } = cluster;
  for (const [name, addresses] of Object.entries({ seeds, join })) {
    const wrong = addresses.find((address) => !isAddress(address));
    if (wrong !== undefined) return `cluster.${name} must be host:port, not "${wrong}"`;
    if (new Set(addresses).size < addresses.length) return `cluster.${name} names a node twice`;
  }
  if (seeds.length + join.length === 0) return undefined;
  if (!mesh.enabled) return 'cluster.seeds and cluster.join need mesh.enabled';
  if (seeds.length > 0 && join.length > 0) {
    return 'cluster.seeds forms a cluster and cluster.join joins one: give one of them';
  }
  const own = mesh.advertise === '' ? `${mesh.host}:${mesh.port}` : mesh.advertise;
  if (seeds.length > 0 && !seeds.includes(own)) {
    return `cluster.seeds must name this node as ${own}; a node that is added has cluster.join`;
  }
  return undefined;
}

function tlsContradicts({ tls, auth, admin }: NodeConfig): string | undefined {
  const { certificateFile, keyFile, caFile } = tls;
  if ((certificateFile === '') !== (keyFile === '')) {
    return 'tls.certificateFile and tls.keyFile need each other';
  }
  if (caFile !== '' && certificateFile === '') return 'tls.caFile needs tls.certificateFile';
  if (caFile === '' && auth.rules.some(({ method }) => method === 'cert')) {
    return 'a rule of auth.rules with the method cert needs tls.caFile';
  }
  if (admin.password !== '' && admin.passwordFile !== '') {
    return 'admin.password and admin.passwordFile say the same: give one of them';
  }
  return undefined;
}

/** What lets others read or do what they should not, and is not allowed by name. */
function isInsecure({ http, postgres, tls, auth, security }: NodeConfig): string | undefined {
  const allowed = (name: string): boolean => security.allowInsecure.includes(name);
  const allow = (name: string): string => `or name ${name} in security.allowInsecure`;
  for (const [name, { enabled, host }] of Object.entries({ http, postgres })) {
    const isOpen = enabled && !isLoopback(host) && tls.certificateFile === '';
    if (isOpen && !allowed(`${name}.host`)) {
      const text = `${name}.host ${host} is beyond loopback and needs tls.certificateFile`;
      return `${text}, ${allow(`${name}.host`)}`;
    }
  }
  const index = auth.rules.findIndex(
    (rule) => trustsOthers(rule) && (rule.name === undefined || !allowed(rule.name)),
  );
  const rule = auth.rules[index];
  if (rule === undefined) return undefined;
  const which = `auth.rules: rule ${index + 1} trusts addresses beyond loopback`;
  if (rule.name === undefined) return `${which}: give it addresses ["loopback"], or a name`;
  return `${which}: give it addresses ["loopback"], ${allow(rule.name)}`;
}

/** Whether the text is `host:port`, the host of an IPv6 address in brackets. */
function isAddress(text: string): boolean {
  const match = /^(\[[0-9a-fA-F:.]+\]|[^\s:[\]/]+):(\d{1,5})$/.exec(text);
  const port = Number(match?.[2]);
  return match !== null && port >= 1 && port <= 65_535;
}

/** Whether a server with that host listens on all addresses. */
export function isAnyHost(host: string): boolean {
  return host === '0.0.0.0' || host === '::';
}

function isLoopback(host: string): boolean {
  return host === 'localhost' || host === '::1' || /^127(\.\d{1,3}){3}$/.test(host);
}
