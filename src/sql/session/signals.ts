/** What a session asks of the others of the cluster: what they do, and to end it. */
import type { PlaceId } from '../../actors/actor.js';
import { assert } from '../../base/assert.js';
import { raise } from '../../base/errors.js';
import { bootstrapRole, predefinedRole } from '../catalogue/index.js';
import { activityAt } from './activity.js';
import type { GatherMessage, SignalledMessage, SignalMessage } from './activity-protocol.js';
import type { SessionReport } from '../system/index.js';
import type { Asker } from './replica.js';
import type { SessionState } from './state.js';
import type { Work } from './work.js';

/** Lets time pass. */
export function* sleep(state: SessionState, request: number, ms: number): Work<void> {
  const untilMs = state.turn.nowMs + ms;
  while (state.turn.nowMs < untilMs) {
    const rest = untilMs - state.turn.nowMs;
    state.turn.setTimer('sleep', rest, { kind: 'sql.continue', request });
    yield 'sleep';
  }
}

/** What all sessions do. Nodes that do not answer are told of by a warning. */
export function* gatherSessions(state: SessionState, self: Asker): Work<readonly SessionReport[]> {
  const call = state.nextToken();
  const message: GatherMessage = { kind: 'sql.gather', call, reach: 'cluster', replyTo: self };
  state.turn.send(activityAt(self.node, self.place as PlaceId), message);
  const answer = yield 'gather';
  if (answer?.kind === 'actor.refused') {
    raise('cannot_connect_now', 'the sessions of this node cannot be asked');
  }
  assert(answer?.kind === 'sql.gathered', 'resumed by what sessions do', answer?.kind);
  for (const node of answer.missing) {
    state.notice('warning', '01000', `node ${node} has not told of its sessions`);
  }
  return answer.sessions;
}

export interface Target {
  readonly what: SignalMessage['what'];
  readonly pid: number;
  /** 0: whatever it serves. */
  readonly request: number;
  readonly waitMs: number;
}

/** Ends what a session does, if the session's role may. Raises insufficient_privilege. */
export function* signal(
  state: SessionState,
  self: Asker,
  target: Target,
): Work<SignalledMessage['outcome']> {
  const principal = state.principalOf(state.newestCatalogue);
  if (!principal.isSuperuser) {
    const sessions = yield* gatherSessions(state, self);
    const found = sessions.find(({ pid }) => pid === target.pid);
    if (found === undefined) return 'absent';
    mustMaySignal(state, target.what, found.user);
  }
  const call = state.nextToken();
  const message: SignalMessage = { kind: 'sql.signal', call, ...target, replyTo: self };
  state.turn.send(activityAt(self.node, self.place as PlaceId), message);
  const answer = yield 'gather';
  if (answer?.kind === 'actor.refused') return 'silent';
  assert(answer?.kind === 'sql.signalled', 'resumed by a signal', answer?.kind);
  return answer.outcome;
}

function mustMaySignal(state: SessionState, what: Target['what'], user: string): void {
  const catalogue = state.newestCatalogue;
  const principal = state.principalOf(catalogue);
  // Under any other name nobody but who opened the node in its own process acts, and may do everything.
  const role = catalogue.role(user)?.object ?? bootstrapRole;
  const isSuper = principal.as(role).isSuperuser;
  const verb = what === 'cancel' ? 'cancel superuser query' : 'terminate superuser process';
  if (isSuper) raise('insufficient_privilege', `must be a superuser to ${verb}`);
  if (
    principal.hasPrivilegesOf(role) ||
    principal.hasPrivilegesOf(predefinedRole('pg_signal_backend'))
  )
    return;
  const whose = what === 'cancel' ? 'query is being canceled' : 'process is being terminated';
  const text = `must be a member of the role whose ${whose} or member of pg_signal_backend`;
  raise('insufficient_privilege', text);
}
