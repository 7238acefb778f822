import type { WebSocket } from 'ws';
import type { Clock } from '../../src/plugin/index.ts';
import type { Behaviour } from './control-plane.ts';

const BASIC_INFO_WITHIN_MS = 5000;
const PING_WITHIN_MS = 45_000;
const LOOK_EVERY_MS = 5000;

export interface SessionRules {
  readonly clock: Clock;
  behaviour(): Behaviour;
  onBasicInfo(info: Record<string, unknown>): void;
  onPing(payload: string): void;
  /** A well-formed introduction came: send a configuration, close, or neither. */
  onIntroduced(plugins: readonly unknown[]): void;
  onClosed(): void;
}

/** What a control plane does with one data plane, from the 101 on: as recorded in refusals.txt. */
export function serveDataPlane(websocket: WebSocket, rules: SessionRules): void {
  const { clock } = rules;
  const ended = new AbortController();
  const hangs = () => rules.behaviour() === 'hang-upgraded';
  let pingedAt = clock.monotonic();
  let introduced = false;
  const after = (ms: number, work: () => void) => {
    clock.sleep(ms, ended.signal).then(work, () => {});
  };
  websocket.on('error', () => {});
  websocket.on('close', () => {
    ended.abort();
    rules.onClosed();
  });
  websocket.on('message', (data, isBinary) => {
    if (hangs()) return;
    const info = introduced || !isBinary ? undefined : parse(data as Buffer);
    // A real one takes no second message, and its Lua code dies on what is not JSON.
    if (info === undefined) websocket.terminate();
    else if (info['type'] !== 'basic_info' || !Array.isArray(info['plugins'])) websocket.close();
    else {
      introduced = true;
      rules.onBasicInfo(info);
      rules.onIntroduced(info['plugins']);
    }
  });
  websocket.on('ping', (data) => {
    rules.onPing(data.toString());
    pingedAt = clock.monotonic();
    if (hangs()) return;
    if (!introduced) websocket.terminate();
    else if (data.length === 32) websocket.pong();
    else websocket.close();
  });
  after(BASIC_INFO_WITHIN_MS, () => {
    if (!introduced && !hangs()) websocket.close();
  });
  const watch = () =>
    after(LOOK_EVERY_MS, () => {
      if (clock.monotonic() - pingedAt <= PING_WITHIN_MS) watch();
      else if (!hangs()) websocket.close();
    });
  watch();
}

function parse(data: Buffer): Record<string, unknown> | undefined {
  try {
    return JSON.parse(data.toString()) as Record<string, unknown>;
  } catch {
    return undefined;
  }
}
