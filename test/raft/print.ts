/** How golden scripts of the Raft core print what happens. */
import { unreachable } from '#src/base/assert.js';
import type { RaftMessage, Ready } from '#src/raft/index.js';
import type { CoreMember } from '#src/sim/index.js';
import { type Configuration, decodeConfiguration, type LogEntry } from '#src/storage/index.js';

export function printMessage(message: RaftMessage): string {
  const { from, to, term } = message;
  return `${from}->${to} ${what(message)} term=${term}${details(message)}`;
}

function what(message: RaftMessage): string {
  const name = message.kind.slice('raft.'.length);
  const isPre = (message.kind === 'raft.vote' || message.kind === 'raft.voteAnswer') && message.pre;
  return isPre ? `pre-${name}` : name;
}

function details(message: RaftMessage): string {
  switch (message.kind) {
    case 'raft.vote': {
      const transfer = message.transferRound === undefined ? '' : ' for the leader';
      return ` last=${message.lastIndex}/${message.lastTerm}${transfer}`;
    }
    case 'raft.voteAnswer':
      return message.granted ? ' granted' : ' refused';
    case 'raft.append': {
      const { prevIndex, prevTerm, entries, commitIndex, recovery, hibernate } = message;
      const carried = entries.length === 0 ? '' : ` entries=${entries.map(printPlace).join(',')}`;
      const sleep = hibernate ? ' hibernate' : '';
      const knows = recovery === 0 ? '' : ` knows-of-recovery last=${message.lastIndex}`;
      return ` after=${prevIndex}/${prevTerm}${carried} commit=${commitIndex}${knows}${sleep}`;
    }
    case 'raft.appendAnswer': {
      const { matchIndex, refused, needsSnapshot, recovery } = message;
      const hint = refused && ` refused after=${refused.prevIndex}`;
      const maybe = refused && ` hint=${refused.hintIndex}/${refused.hintTerm}`;
      const snapshot = needsSnapshot ? ' needs a snapshot' : '';
      return ` match=${matchIndex}${hint ?? ''}${maybe ?? ''}${snapshot}${recovery === 0 ? '' : ' recovering'}`;
    }
    case 'raft.readIndex':
      return '';
    case 'raft.readIndexAnswer':
      return ` index=${message.index ?? 'unknown'}`;
    case 'raft.timeoutNow':
      return '';
    default:
      return unreachable(message);
  }
}

function printPlace({ index, term }: LogEntry): string {
  return `${index}/${term}`;
}

export function printEntry(entry: LogEntry): string {
  return `${printPlace(entry)} ${entry.kind} ${printPayload(entry)}`.trimEnd();
}

function printPayload({ kind, payload }: LogEntry): string {
  if (kind !== 'configuration') return Buffer.from(payload).toString();
  return printConfiguration(decodeConfiguration(payload));
}

export function printConfiguration({
  voters,
  outgoing,
  learners,
  witnesses,
}: Configuration): string {
  const part = (name: string, nodes: readonly number[]): string =>
    nodes.length === 0 ? '' : ` ${name}=${nodes.join(',')}`;
  return `voters=${voters.join(',')}${part('outgoing', outgoing)}${part('learners', learners)}${part('witnesses', witnesses)}`;
}

/** What a member writes and commits; what it sends is printed when it is delivered. */
export function printReady({ id, disk }: CoreMember, ready: Ready): readonly string[] {
  const lines: string[] = [];
  if (ready.ballot !== undefined) {
    const { term, vote } = ready.ballot;
    lines.push(`${id} ballot term=${term} vote=${vote ?? 'none'}`);
  }
  const first = ready.entries[0];
  if (first !== undefined) {
    const verb =
      first.index <= disk.lastIndex ? `replaces ${first.index}..${disk.lastIndex} by` : 'appends';
    lines.push(`${id} ${verb} ${ready.entries.map(printEntry).join(', ')}`);
  }
  if (ready.committed !== undefined) {
    lines.push(`${id} commits ${ready.committed.from}..${ready.committed.to}`);
  }
  return lines;
}
