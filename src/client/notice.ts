/** What a node says beside results. */
import type { NoticeFrame } from '../net/protocol.js';

/** A message for people, as PostgreSQL's NOTICE and WARNING. */
export interface Notice {
  readonly severity: NoticeFrame['severity'];
  /** SQLSTATE; `00000` where there is none of its own. */
  readonly sqlstate: string;
  readonly message: string;
  readonly detail?: string;
  readonly hint?: string;
}

export function noticeOf({ severity, sqlstate, message, detail, hint }: NoticeFrame): Notice {
  return {
    ...{ severity, sqlstate, message },
    ...(detail !== undefined && { detail }),
    ...(hint !== undefined && { hint }),
  };
}
