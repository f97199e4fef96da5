/** `shardforge cert`: a certificate authority for development, and certificates of nodes. */
import { chmodSync, existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type Command, InvalidArgumentError } from 'commander';
import { openAuthorityTools } from '../net/security/index.js';
import { UsageError } from './report.js';

interface Options {
  readonly directory: string;
  readonly days: number;
  readonly force: boolean;
}

interface AuthorityOptions extends Options {
  readonly name: string;
}

interface NodeOptions extends Options {
  readonly host: readonly string[];
}

const dayMs = 86_400_000;
/** Clocks of other machines may be behind. */
const backdatedMs = 3_600_000;
const authorityFiles = { certificate: 'ca.pem', key: 'ca-key.pem' } as const;

export function addCert(root: Command): void {
  const cert = root.command('cert').description('make certificates for the mesh between nodes');
  cert
    .command('ca')
    .description(
      'make an authority: ca.pem, which every node gets, and ca-key.pem, which none does',
    )
    .option('--directory <path>', 'where the files go', '.')
    .option('--name <name>', 'of the authority', 'ShardForge development CA')
    .option('--days <days>', 'that it is valid', days, 3650)
    .option('--force', 'overwrite files that are there', false)
    .action(makeCa);
  cert
    .command('node <id>')
    .description('make node-<id>.pem and node-<id>-key.pem, signed by the authority')
    .option('--directory <path>', 'where the authority is and the files go', '.')
    .option('--host <names>', 'its addresses and host names; divided by commas', names, [])
    .option('--days <days>', 'that it is valid', days, 825)
    .option('--force', 'overwrite files that are there', false)
    .action(makeNode);
}

async function makeCa({ directory, name, days: valid, force }: AuthorityOptions): Promise<void> {
  const { makeAuthority } = await openAuthorityTools();
  const files = filesIn(directory, authorityFiles);
  refuseOverwriting(Object.values(files), force);
  write(directory, files, await makeAuthority(name, validity(valid)));
}

async function makeNode(id: string, options: NodeOptions): Promise<void> {
  const { directory, days: valid, force, host: hosts } = options;
  const node = Number(id);
  if (!/^[1-9]\d{0,15}$/.test(id) || !Number.isSafeInteger(node)) {
    throw new UsageError('the id of a node is a whole number from 1');
  }
  const { makeNodeCertificate } = await openAuthorityTools();
  const authority = filesIn(directory, authorityFiles);
  const signer = { certificate: read(authority.certificate), key: read(authority.key) };
  const own = { certificate: `node-${node}.pem`, key: `node-${node}-key.pem` };
  const files = filesIn(directory, own);
  refuseOverwriting(Object.values(files), force);
  write(directory, files, await makeNodeCertificate(signer, { node, hosts, ...validity(valid) }));
}

function validity(daysValid: number): { readonly notBefore: Date; readonly notAfter: Date } {
  const nowMs = Date.now();
  return {
    notBefore: new Date(nowMs - backdatedMs),
    notAfter: new Date(nowMs + daysValid * dayMs),
  };
}

interface Pair {
  readonly certificate: string;
  readonly key: string;
}

function filesIn(directory: string, { certificate, key }: Pair): Pair {
  return { certificate: join(directory, certificate), key: join(directory, key) };
}

function refuseOverwriting(files: readonly string[], force: boolean): void {
  const there = force ? undefined : files.find((file) => existsSync(file));
  if (there !== undefined) throw new UsageError(`${there} is there; --force overwrites it`);
}

function write(directory: string, files: Pair, made: Pair): void {
  mkdirSync(directory, { recursive: true });
  writeFileSync(files.key, made.key, { mode: 0o600 });
  // The mode counts for new files only.
  chmodSync(files.key, 0o600);
  writeFileSync(files.certificate, made.certificate);
  process.stdout.write(`${files.certificate}\n${files.key}\n`);
}

function read(file: string): string {
  try {
    return readFileSync(file, 'utf8');
  } catch (error) {
    const reason = (error as Error).message;
    throw new UsageError(`${reason}; "shardforge cert ca" makes an authority`);
  }
}

function names(text: string): string[] {
  return text.split(',').map((name) => name.trim());
}

function days(text: string): number {
  const number = Number(text);
  if (/^\d+$/.test(text) && number >= 1 && number <= 36_500) return number;
  throw new InvalidArgumentError('It must be a whole number from 1 to 36500.');
}
