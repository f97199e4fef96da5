/** Notifications as functions reach them. */
export interface NotificationAccess {
  /** pg_notify: sent when the transaction commits. Raises 22023. */
  notify(channel: string, payload: string): void;
  /** pg_listening_channels. */
  readonly channels: readonly string[];
  /** pg_notification_queue_usage: how full the fullest queue of this node is, from 0 to 1. */
  readonly queueUsage: number;
}
