/**
 * API tokens: rows of a storage of the system, by name and by hash, that only functions of schema
 * `shardforge` change. A token itself is kept nowhere. One is void as soon as its role is gone.
 */
import { must } from '../../base/assert.js';
import { ByteReader, ByteWriter, prefixEnd } from '../../base/bytes.js';
import { raise } from '../../base/errors.js';
import type { DatabaseId, ObjectId, StorageId } from '../../base/ids.js';
import type { Span, Visit } from '../../storage/engine.js';
import { dataPrefix, keyKind } from '../../storage/keys.js';
import { sha256 } from '../functions/sha2.js';

/** That of the audit table. */
const systemDatabase = 3 as DatabaseId;
const tokenStorage = 2 as StorageId;
const format = 1;

const from = dataPrefix(systemDatabase, tokenStorage, keyKind.row);
const byName = new ByteWriter().raw(from).uint8(1).finish();
const byHash = new ByteWriter().raw(from).uint8(2).finish();
const named: Span = { from: byName, to: must(prefixEnd(byName), 'a data prefix has an end') };

/** What every token begins with. */
export const tokenPrefix = 'sf_';
/** Random bytes of a token. */
export const tokenBytes = 32;

export interface ApiToken {
  /** No other has it. */
  readonly name: string;
  /** {@link tokenHash} of the token. */
  readonly hash: string;
  readonly role: ObjectId;
  /** Milliseconds since 1970. */
  readonly createdMs: number;
  /** Undefined: for ever. */
  readonly validUntilMs: number | undefined;
}

/** SHA-256 in hexadecimal. What is hashed is random enough that neither salt nor rounds add to it. */
export function tokenHash(token: string): string {
  return Buffer.from(sha256(Buffer.from(token))).toString('hex');
}

interface Reader {
  get(key: Uint8Array): Uint8Array | undefined;
}

interface Writer {
  put(key: Uint8Array, value: Uint8Array): void;
  delete(key: Uint8Array): void;
}

function nameKey(name: string): Uint8Array {
  return new ByteWriter().raw(byName).text(name).finish();
}

function hashKey(hash: string): Uint8Array {
  return new ByteWriter().raw(byHash).text(hash).finish();
}

function read(value: Uint8Array): ApiToken {
  const row = new ByteReader(value);
  const found = row.uint8();
  if (found !== format) raise('data_corrupted', `an API token has format ${found}`);
  return JSON.parse(row.text()) as ApiToken;
}

export function tokenNamed(reader: Reader, name: string): ApiToken | undefined {
  const value = reader.get(nameKey(name));
  return value && read(value);
}

export function tokenOfHash(reader: Reader, hash: string): ApiToken | undefined {
  const name = reader.get(hashKey(hash));
  return name && tokenNamed(reader, new ByteReader(name).text());
}

/** All tokens by name, also those of roles that are gone. */
export function apiTokens(reader: { scan(span: Span, visit: Visit): void }): ApiToken[] {
  const tokens: ApiToken[] = [];
  reader.scan(named, (_key, value) => {
    tokens.push(read(value));
    return true;
  });
  return tokens;
}

export function putToken(writer: Writer, token: ApiToken): void {
  const row = new ByteWriter().uint8(format).text(JSON.stringify(token)).finish();
  writer.put(nameKey(token.name), row);
  writer.put(hashKey(token.hash), new ByteWriter().text(token.name).finish());
}

export function removeToken(writer: Writer, { name, hash }: ApiToken): void {
  writer.delete(nameKey(name));
  writer.delete(hashKey(hash));
}
