/**
 * Binding: from a syntax tree to a bound statement. Names become columns by number, operators and
 * functions become chosen implementations, implicit casts become explicit, literals and parameters
 * of unknown type get one.
 *
 * Guarantees: PostgreSQL's rules, messages, SQLSTATEs and positions; no clause is passed over in
 * silence. Must not know: storage, transactions, sessions; its objects come by CatalogueLookup.
 */
export { isAdminCall } from './admin.js';
export { coerce } from './coerce.js';
export { BindContext, ParameterTypes } from './context.js';
export { bindDomainValue } from './domain.js';
export { bind, type Environment } from './statement.js';
export { nameLookup } from './registered.js';
export { isTypeName } from './type-name.js';
export { bindWriteRules } from './table-rules.js';
