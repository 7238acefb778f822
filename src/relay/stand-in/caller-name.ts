import type { Caller } from './session-rules.ts';

/** A data plane in a message, by what it calls itself. */
export function callerName({ hostname, nodeId }: Caller): string {
  return `data plane ${hostname === '' ? nodeId : hostname}`;
}
