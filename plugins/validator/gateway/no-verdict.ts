import type { AdminAnswer } from './admin-api.ts';

/** Why an answer says nothing about the configuration, with what to do; undefined: it is a verdict. */
export interface NoVerdict {
  readonly reason: string;
  readonly hint: string;
  /** It may be otherwise in a moment. */
  readonly passes: boolean;
}

/** @param length of the document, bytes */
export function noVerdict({ status, text }: AdminAnswer, length: number): NoVerdict | undefined {
  if (status >= 200 && status < 300) return undefined;
  const reason = `it answered ${status}`;
  switch (status) {
    case 400:
      return /configured to not use a database|not to use a database/.test(text)
        ? {
            reason: `${reason}: it uses a database`,
            hint: 'POST /config is for gateways without one (database = off).',
            passes: false,
          }
        : undefined;
    case 401:
    case 403:
      return {
        reason: `${reason}: it does not let us in`,
        hint: 'Set token to an RBAC token that may POST /config, and check what stands before the Admin API.',
        passes: false,
      };
    case 404:
    case 405:
      return {
        reason: `${reason}: it is not an Admin API`,
        hint: 'url is admin_listen of the gateway (port 8001 or 8444), not its proxy; a data plane has none.',
        passes: false,
      };
    case 413:
      return text.trimStart().startsWith('{')
        ? {
            reason: `${reason}: its LMDB is full`,
            hint: 'Raise lmdb_map_size of the gateway.',
            passes: false,
          }
        : {
            reason: `${reason}: its limit for bodies is below the ${length} bytes of this document`,
            hint: `Set nginx_admin_client_max_body_size and nginx_admin_client_body_buffer_size of the gateway to ${mebibytes(length)}m.`,
            passes: false,
          };
    case 429:
      return { reason: `${reason}: it is loading another configuration`, hint: BUSY, passes: true };
    default:
      return { reason, hint: 'Look at the error log of the gateway.', passes: status >= 500 };
  }
}

const BUSY = 'Give it to this exporter alone; a load takes less than a minute.';

/** With room to grow. */
const mebibytes = (bytes: number): number => Math.max(20, Math.ceil((bytes * 1.5) / 2 ** 20));
