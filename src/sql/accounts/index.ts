/**
 * Roles and what they may do: grants as PostgreSQL keeps them, what signing in has to know of a role,
 * passwords as verifiers, the audit table.
 *
 * Guarantees: rights change in the transaction of their statement and are the same on all nodes; doors
 * are answered from what is committed, or told why not. Must not know: sockets, how somebody signs in.
 */
import type { ActorKind, MessageType } from '../../actors/actor.js';
import { runtimeMessages } from '../../actors/actor.js';
import { proposeAnswers } from '../../shard/index.js';
import { Accounts, type AccountsInput } from './actor.js';

export {
  bestGrantor,
  granted,
  grantsOfNewOwner,
  type GrantScope,
  mergedGrants,
  revoked,
} from './acl.js';
export {
  grantOfText,
  grantText,
  kindWords,
  rightOfWord,
  singleRights,
  wordOfRight,
} from './acl-text.js';
export { type AuditEntry, auditEntries, auditRow } from './audit.js';
export { checkNeeds, columnGrants, denied, notOwner, type Objects } from './check.js';
export type {
  AccountsMessage,
  AuditEvent,
  AuditMessage,
  FindMessage,
  FoundMessage,
  Login,
  TokenMessage,
} from './protocol.js';
export {
  type ApiToken,
  apiTokens,
  putToken,
  removeToken,
  tokenBytes,
  tokenHash,
  tokenNamed,
  tokenPrefix,
} from './tokens.js';

/** The actor's name at the place of the shard. */
export const accountsName = 'accounts';

/** What it answers with. */
export const accountsAnswers: readonly MessageType[] = [
  { kind: 'accounts.found', priority: 'normal', flow: 'reply' },
];

/** The kind `accounts`, spawned without arguments at a place that provides `shardAccess`. */
export const accountsKind: ActorKind<AccountsInput> = {
  kind: 'accounts',
  messages: [
    { kind: 'accounts.find', priority: 'normal', flow: 'work' },
    { kind: 'accounts.token', priority: 'normal', flow: 'work' },
    { kind: 'accounts.audit', priority: 'normal', flow: 'work' },
    { kind: 'accounts.write', priority: 'normal', flow: 'reply' },
    ...proposeAnswers,
    runtimeMessages.refused,
  ],
  create: (_args, place, self) => new Accounts(place, self),
};
