/** Notifications (PostgreSQL's chapter 9.26, NOTIFY). */
import { must } from '../../base/assert.js';
import type { FunctionContext, NotificationAccess } from '../types/index.js';
import { define, type Definition } from './definition.js';
import { defineSet, type SetDefinition } from './set-definition.js';

function notificationsOf({ notifications }: FunctionContext): NotificationAccess {
  return must(notifications, 'notifications are sent within a session');
}

export const notificationFunctions: readonly Definition[] = [
  define(
    'pg_notify(text, text): void',
    (context: FunctionContext, channel: string | null, payload: string | null) => {
      notificationsOf(context).notify(channel ?? '', payload ?? '');
      // The value of type void.
      return '';
    },
    { volatility: 'volatile', usesContext: true, strict: false },
  ),
  define(
    'pg_notification_queue_usage(): float8',
    (context: FunctionContext) => notificationsOf(context).queueUsage,
    { volatility: 'volatile', usesContext: true },
  ),
];

export const notificationSetFunctions: readonly SetDefinition[] = [
  defineSet(
    'pg_listening_channels(): setof text',
    (_values, { notifications }) => notifications?.channels ?? [],
    { volatility: 'stable' },
  ),
];
