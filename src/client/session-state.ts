/** What a text may leave behind in the session that runs it, as far as the text shows. */

/** A transaction that stays open. */
export const mayBegin = /\b(begin|start\s+transaction)\b/i;

/** Settings, prepared statements, channels, advisory locks of the session; SET LOCAL ends with its transaction. */
export const mayChangeSession =
  /(^|;)\s*(set(?!\s+local\b)|reset|discard|prepare|deallocate|listen|unlisten)\b|\bpg_(try_)?advisory_lock/i;

/** The same, when it is all that the text is for. */
export const onlyChangesSession = /^\s*(set|reset)\b/i;
