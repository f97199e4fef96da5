/** As whom a session acts: SET ROLE, SET SESSION AUTHORIZATION, and what its role may do. */
import { DatabaseError, raise } from '../../base/errors.js';
import type { ObjectId } from '../../base/ids.js';
import { checkNeeds } from '../accounts/index.js';
import {
  bootstrapRole,
  bootstrapRoleName,
  predefinedRole,
  type PredefinedRole,
  Principal,
  right,
  type TransactionCatalogue,
  userDatabase,
} from '../catalogue/index.js';
import type { Settings } from '../settings/index.js';
import type { Plan } from './plan-cache.js';
import type { SessionArguments } from './protocol.js';
import type { SessionState } from './state.js';
import type { Transaction } from './transaction.js';

/** What SET ROLE NONE leaves. */
const none = 'none';
/** Functions of administration that change nothing. */
const telling: ReadonlySet<string> = new Set(['cluster_status', 'cluster_topology']);

function sessionKey(name: string): string {
  return `session ${name}`;
}

function roleKey(session: ObjectId, name: string): string {
  return `role ${session} ${name}`;
}

/** Settings, by lower-case name, that say as whom the session acts. */
export function isRoleSetting(key: string): boolean {
  return key === 'role' || key === 'session_authorization';
}

/** What it needs of its session. */
type RolesHome = Pick<SessionState, 'settings' | 'access' | 'newestCatalogue' | 'transaction'>;

export class SessionRoles {
  readonly #settings: Settings;
  /** Whom the session began as. */
  readonly #user: string;
  /** Somebody has signed in: then a role of the name must be there. */
  readonly #hasSignedIn: boolean;
  /** The catalogue as of the newest commit. */
  readonly #newest: () => TransactionCatalogue;
  /** That of the open transaction, else the newest. */
  readonly #catalogue: () => TransactionCatalogue;
  readonly #isReadable: () => boolean;
  #authenticated: ObjectId | undefined;
  /** Of names that this session was found to be allowed to take, by who asked. */
  readonly #taken = new Map<string, ObjectId>();
  #version = -1;
  #current: ObjectId = bootstrapRole;
  /** What the current role may do, at a version of the catalogue that is the newest one. */
  #principal: { readonly version: number; readonly principal: Principal } | undefined;

  constructor(home: RolesHome, args: Pick<SessionArguments, 'user' | 'signIn'>) {
    const { settings, access } = home;
    this.#settings = settings;
    this.#user = args.user;
    this.#hasSignedIn = args.signIn !== undefined;
    this.#newest = () => home.newestCatalogue;
    this.#catalogue = () => home.transaction?.catalogue ?? home.newestCatalogue;
    this.#isReadable = () => access.refusal === undefined;
    settings.compute('session_authorization', { get: () => this.sessionName });
    settings.compute('is_superuser', { get: () => (this.isSuperuser ? 'on' : 'off') });
    settings.isSuperuser = () => this.isSuperuser;
  }

  /** session_user. */
  get sessionName(): string {
    return this.#settings.kept('session_authorization') || this.#user;
  }

  /** current_user. */
  get name(): string {
    const role = this.#settings.get('role') ?? none;
    return role === none ? this.sessionName : role;
  }

  /** The role whose rights count. Raises when the session may not act as who its settings say. */
  get current(): ObjectId {
    const { version } = this.#settings;
    if (this.#version !== version) {
      this.#current = this.#resolved();
      this.#version = version;
      this.#principal = undefined;
    }
    return this.#current;
  }

  /** What the current role may do, as `catalogue` says. */
  principalOf(catalogue: TransactionCatalogue, catalogueVersion: number): Principal {
    const role = this.current;
    if (!catalogue.isCurrent) return new Principal(role, catalogue);
    if (this.#principal?.version !== catalogueVersion) {
      // Its reader outlives the transaction.
      const principal = new Principal(role, this.#newest());
      this.#principal = { version: catalogueVersion, principal };
    }
    return this.#principal.principal;
  }

  /** Whether the current role is a superuser, as far as that can be read. */
  get isSuperuser(): boolean {
    if (!this.#isReadable()) return false;
    try {
      return new Principal(this.current, this.#catalogue()).isSuperuser;
    } catch (error) {
      // Clients are told of it with every answer, also with that which says what is wrong.
      if (error instanceof DatabaseError) return false;
      throw error;
    }
  }

  /** Whether the session may call functions of administration; some of them only tell. */
  mayAdminister(name: string): boolean {
    return telling.has(name) ? this.has('pg_monitor') : this.has(undefined);
  }

  /** Whether the current role has the privileges of a predefined one, or is a superuser. */
  has(role: PredefinedRole | undefined): boolean {
    // Where roles cannot be read, as before there is a cluster, the first of them is known by name.
    if (!this.#isReadable()) return !this.#hasSignedIn || this.#user === bootstrapRoleName;
    const principal = new Principal(this.current, this.#catalogue());
    if (role === undefined) return principal.isSuperuser;
    return principal.hasPrivilegesOf(predefinedRole(role));
  }

  /** Raises what SET of `role` or `session_authorization` to `value` would. */
  check(setting: string, value: string | undefined): void {
    // A role of the name may be another one than when it was taken before.
    if (setting !== 'role') {
      this.#taken.delete(sessionKey(value ?? ''));
      this.#session(value ?? '');
    } else if (value !== undefined && value !== none) {
      this.#taken.delete(roleKey(this.#sessionRole(), value));
      this.#role(value);
    }
  }

  #resolved(): ObjectId {
    this.#checkGiven();
    const session = this.#sessionRole();
    const role = this.#settings.get('role') ?? none;
    return role === none ? session : this.#role(role);
  }

  /** What the client has set at first is a matter of whom it signed in as. */
  #checkGiven(): void {
    const [name] = this.#settings.givenForSuperusers;
    if (name === undefined || new Principal(this.#signedIn(), this.#catalogue()).isSuperuser)
      return;
    raise('insufficient_privilege', `permission denied to set parameter "${name}"`);
  }

  /** Whom the session signed in as. */
  #signedIn(): ObjectId {
    this.#authenticated ??= this.#catalogue().role(this.#user)?.object;
    if (this.#authenticated !== undefined) return this.#authenticated;
    if (this.#hasSignedIn) {
      raise('invalid_authorization_specification', `role "${this.#user}" does not exist`);
    }
    // Whoever opened the node in its own process may do everything, under any name.
    this.#authenticated = bootstrapRole;
    return bootstrapRole;
  }

  #sessionRole(): ObjectId {
    return this.#session(this.#settings.kept('session_authorization') ?? '');
  }

  #session(name: string): ObjectId {
    const own = this.#signedIn();
    if (name === '' || name === this.#user) return own;
    return this.#take(sessionKey(name), name, (found, catalogue) => {
      if (new Principal(own, catalogue).isSuperuser || found === own) return;
      const text = `permission denied to set session authorization "${name}"`;
      raise('insufficient_privilege', text);
    });
  }

  #role(name: string): ObjectId {
    const session = this.#sessionRole();
    return this.#take(roleKey(session, name), name, (found, catalogue) => {
      if (new Principal(session, catalogue).maySetRole(found)) return;
      raise('insufficient_privilege', `permission denied to set role "${name}"`);
    });
  }

  /** What was allowed once stays so for the session, as in PostgreSQL. */
  #take(
    key: string,
    name: string,
    check: (found: ObjectId, catalogue: TransactionCatalogue) => void,
  ): ObjectId {
    const taken = this.#taken.get(key);
    if (taken !== undefined) return taken;
    const catalogue = this.#catalogue();
    const found = catalogue.role(name)?.object;
    if (found === undefined) raise('invalid_parameter_value', `role "${name}" does not exist`);
    check(found, catalogue);
    this.#taken.set(key, found);
    return found;
  }
}

/** Raises insufficient_privilege when the session's role may not run the plan. */
export function authorise(state: SessionState, plan: Plan, transaction: Transaction): void {
  const { catalogue } = transaction;
  const role = state.roles.current;
  const isNewest = catalogue.isCurrent && plan.catalogueVersion === state.access.catalogueVersion;
  if (isNewest && plan.allowed === role) return;
  const principal = state.principalOf(catalogue);
  if (!principal.isSuperuser) {
    checkSchemas(plan, catalogue, principal);
    checkNeeds(plan.bound.needs, (object) => catalogue.objectIfThere(object), principal);
  }
  if (isNewest) plan.allowed = role;
}

/** USAGE on the schemas that the text names. */
function checkSchemas(plan: Plan, catalogue: TransactionCatalogue, principal: Principal): void {
  for (const { schema } of plan.found) {
    const found = schema === undefined ? undefined : catalogue.schema(userDatabase, schema);
    if (found === undefined || (principal.rightsOn(found) & right.usage) !== 0) continue;
    raise('insufficient_privilege', `permission denied for schema ${found.name}`);
  }
}
