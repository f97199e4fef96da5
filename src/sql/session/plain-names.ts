/** Whether names mean to a session what they mean to the others. */
import type { ObjectId } from '../../base/ids.js';
import { right, schemaKey, userDatabase } from '../catalogue/index.js';
import type { SessionState } from './state.js';

type Home = Pick<
  SessionState,
  'access' | 'functions' | 'newestCatalogue' | 'principalOf' | 'roles' | 'settings' | 'temporary'
>;

export class PlainNames {
  readonly #home: Home;
  /** For which version of the catalogue and which role it was looked up, and what was found. */
  #version = -1;
  #role: ObjectId | undefined;
  #value = false;

  constructor(home: Home) {
    this.#home = home;
  }

  /**
   * True with the default path, without temporary objects or a schema of the user's name, and with
   * USAGE on `public`. Raises what reading the catalogue raises.
   */
  get arePlain(): boolean {
    const { access, roles, settings, temporary } = this.#home;
    if (!temporary.isEmpty || settings.derived.hasOwnPath) return false;
    const { catalogueVersion } = access;
    const role = roles.current;
    if (this.#version !== catalogueVersion || this.#role !== role) {
      this.#value = this.#look();
      this.#version = catalogueVersion;
      this.#role = role;
    }
    return this.#value;
  }

  #look(): boolean {
    const { access, functions, newestCatalogue } = this.#home;
    const own = schemaKey(userDatabase, functions.user);
    if (access.get(own, access.appliedTimestamp) !== undefined) return false;
    const schema = newestCatalogue.schema(userDatabase, 'public');
    if (schema === undefined) return false;
    return (this.#home.principalOf(newestCatalogue).rightsOn(schema) & right.usage) !== 0;
  }
}
