/** Reads values that came as JSON from another node or from disk; whatever does not fit is refused. */
import { raise } from '../base/errors.js';
import type { NodeId } from '../base/ids.js';
import type { AdminValue } from '../sql/session/protocol.js';

const textLengthMax = 1024;
const listLengthMax = 1024;
/** Of a key. */
const hexLengthMax = 4096;
const nodeIdMax = 65_535;

/** The members of an object. Names that nobody asks for are let be: later versions may add some. */
export class Fields {
  readonly #values: Readonly<Record<string, unknown>>;
  readonly #what: string;

  constructor(value: unknown, what: string) {
    if (typeof value !== 'object' || value === null || Array.isArray(value)) {
      raise('protocol_violation', `${what} is no object`);
    }
    this.#values = value as Readonly<Record<string, unknown>>;
    this.#what = what;
  }

  has(name: string): boolean {
    return this.#values[name] !== undefined;
  }

  node(name: string): NodeId {
    const value = this.number(name);
    if (value < 1 || value > nodeIdMax) this.#refuse(name);
    return value as NodeId;
  }

  /** A whole number, not negative. */
  number(name: string): number {
    const value = this.#values[name];
    if (!Number.isSafeInteger(value) || (value as number) < 0) this.#refuse(name);
    return value as number;
  }

  flag(name: string): boolean {
    const value = this.#values[name];
    if (typeof value !== 'boolean') this.#refuse(name);
    return value as boolean;
  }

  text(name: string): string {
    return this.#textOf(this.#values[name], name);
  }

  /** A UUID. */
  uuid(name: string): string {
    const value = this.text(name);
    if (!/^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/.test(value)) this.#refuse(name);
    return value;
  }

  /** Bytes in hex. */
  hex(name: string): string {
    const value = this.#values[name];
    if (typeof value !== 'string' || value.length > hexLengthMax) return this.#refuse(name);
    return /^([0-9a-f]{2})*$/.test(value) ? value : this.#refuse(name);
  }

  oneOf<T extends string>(name: string, allowed: readonly T[]): T {
    const value = allowed.find((each) => each === this.#values[name]);
    return value ?? this.#refuse(name);
  }

  texts(name: string): readonly string[] {
    return this.list(name).map((value) => this.#textOf(value, name));
  }

  nodes(name: string): readonly NodeId[] {
    return this.list(name).map((node) => new Fields({ node }, this.#what).node('node'));
  }

  list(name: string): readonly unknown[] {
    const value = this.#values[name];
    if (!Array.isArray(value) || value.length > listLengthMax) return this.#refuse(name);
    return value as readonly unknown[];
  }

  object(name: string): Fields {
    return new Fields(this.#values[name], `${this.#what}.${name}`);
  }

  /** An item of a list, which is an object. */
  item(name: string, index: number): Fields {
    return new Fields(this.list(name)[index], `${this.#what}.${name}[${index}]`);
  }

  /** Any value of JSON. */
  json(name: string): AdminValue {
    const value = this.#values[name];
    if (value === undefined) this.#refuse(name);
    return value as AdminValue;
  }

  #textOf(value: unknown, name: string): string {
    if (typeof value !== 'string' || value.length > textLengthMax) return this.#refuse(name);
    return value;
  }

  #refuse(name: string): never {
    raise('protocol_violation', `${this.#what}.${name} is missing or out of range`);
  }
}

/** The object that the bytes hold as JSON in UTF-8. */
export function fieldsOf(bytes: Uint8Array, what: string): Fields {
  let value: unknown;
  try {
    value = JSON.parse(Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).toString('utf8'));
  } catch {
    raise('protocol_violation', `${what} is no JSON`);
  }
  return new Fields(value, what);
}
