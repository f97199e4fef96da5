/** Who has to prove what: the rules of `auth.rules`, of which the first that fits decides. */
import { AddressSet, isAddressRange, loopback, reachesOthers } from './addresses.js';

export const methods = ['trust', 'scram-sha-256', 'cert', 'reject'] as const;
export type Method = (typeof methods)[number];

/** A rule as the configuration has it; what is left out fits everything. */
export interface SignInRule {
  /** What `security.allowInsecure` and the log call it. */
  readonly name?: string;
  readonly databases?: readonly string[];
  /** Names of roles; `+name` are all members of the role. */
  readonly users?: readonly string[];
  /** Networks such as `10.0.0.0/8`, addresses, `loopback`. */
  readonly addresses?: readonly string[];
  readonly transport?: 'any' | 'tls';
  readonly method: Method;
  /** For `cert`: the roles that a common name may sign in as; without it the one of that name. */
  readonly certificateNames?: Readonly<Record<string, readonly string[]>>;
}

/** Where nothing is said: passwords for all, and none over a network that others can read. */
const defaultRules: readonly SignInRule[] = [
  { name: 'default', transport: 'tls', method: 'scram-sha-256' },
  { name: 'default', addresses: [loopback], method: 'scram-sha-256' },
];

/** Who comes how, as far as rules look at it. */
export interface Approach {
  readonly user: string;
  readonly database: string;
  readonly address: string;
  readonly encrypted: boolean;
}

const keys = ['name', 'databases', 'users', 'addresses', 'transport', 'method', 'certificateNames'];

/** What is wrong with a rule of a configuration; undefined when nothing is. */
export function faultInRule(given: unknown): string | undefined {
  if (typeof given !== 'object' || given === null || Array.isArray(given)) return 'is no object';
  const rule = given as Readonly<Record<string, unknown>>;
  const unknown = Object.keys(rule).find((key) => !keys.includes(key));
  if (unknown !== undefined) return `has an unknown key ${unknown}: use ${keys.join(', ')}`;
  const { name, transport, method, certificateNames } = rule;
  if (!methods.some((one) => one === method)) return `needs a method of ${methods.join(', ')}`;
  if (name !== undefined && !isName(name)) return 'has a name that is no text';
  if (transport !== undefined && transport !== 'any' && transport !== 'tls') {
    return 'has a transport other than any and tls';
  }
  for (const key of ['databases', 'users', 'addresses']) {
    const list = rule[key];
    if (list !== undefined && !isNames(list)) return `has ${key} that are no list of texts`;
  }
  const wrong = ((rule.addresses ?? []) as readonly string[]).find((text) => !isAddressRange(text));
  if (wrong !== undefined) {
    return `has the address "${wrong}": use networks such as 10.0.0.0/8, addresses or loopback`;
  }
  if (certificateNames === undefined) return undefined;
  if (method !== 'cert') return 'has certificateNames, which only the method cert looks at';
  const isMap = typeof certificateNames === 'object' && certificateNames !== null;
  if (isMap && Object.values(certificateNames).every(isNames)) return undefined;
  return 'has certificateNames that are not lists of roles by common name';
}

function isName(value: unknown): value is string {
  return typeof value === 'string' && value !== '';
}

function isNames(value: unknown): value is readonly string[] {
  return Array.isArray(value) && value.every(isName);
}

/** Whether the rule lets somebody of another machine in who proves nothing. */
export function trustsOthers({ method, addresses }: SignInRule): boolean {
  return method === 'trust' && (addresses === undefined || addresses.some(reachesOthers));
}

/** The rules of a node. */
export class Rules {
  readonly #rules: readonly { readonly rule: SignInRule; readonly addresses: AddressSet }[];

  /** Those of the configuration; without any the default ones. */
  constructor(rules: readonly SignInRule[]) {
    const used = rules.length === 0 ? defaultRules : rules;
    this.#rules = used.map((rule) => ({ rule, addresses: new AddressSet(rule.addresses ?? []) }));
  }

  /** The rule for a user who is a member of the roles `memberOf`; undefined when none fits. */
  find(approach: Approach, memberOf: readonly string[]): SignInRule | undefined {
    const { user, database, address, encrypted } = approach;
    const names = (entry: string): boolean =>
      entry === user || (entry.startsWith('+') && memberOf.includes(entry.slice(1)));
    const found = this.#rules.find(({ rule, addresses }) => {
      if (rule.databases?.includes(database) === false) return false;
      if (rule.users?.some(names) === false) return false;
      if (rule.addresses !== undefined && !addresses.has(address)) return false;
      // Nobody can show a certificate without TLS.
      return encrypted || (rule.transport !== 'tls' && rule.method !== 'cert');
    });
    return found?.rule;
  }
}
