import { once } from 'node:events';
import { createServer } from 'node:net';
import type { Fault, Observation } from '../observation.ts';

export interface ListenToCheck {
  /** What the settings call it. */
  readonly setting: string;
  /** `host:port`. */
  readonly listen: string;
  readonly severity: Fault;
  /** A kongfallback answers on `service.listen` of these settings. */
  readonly running: (signal: AbortSignal) => Promise<boolean>;
}

/** Listens for a moment. A port that a running kongfallback of these settings has is as it should be. */
export async function listenAddress(
  { listen, running, setting, severity }: ListenToCheck,
  signal: AbortSignal,
): Promise<Observation[]> {
  const [, host = '', port = ''] = /^(.*):(\d+)$/.exec(listen) ?? [];
  const server = createServer((socket) => socket.destroy());
  try {
    server.listen({ host: host.replace(/^\[|\]$/g, ''), port: Number(port), exclusive: true });
    await once(server, 'listening', { signal });
  } catch (error) {
    if (signal.aborted) throw error;
    const { code = 'unknown error' } = error as NodeJS.ErrnoException;
    if (code === 'EADDRINUSE') return [await inUse()];
    return [
      {
        severity,
        code: 'listen-impossible',
        message: `${setting}: cannot listen on ${listen} (${code})`,
        hint: `Give an address of this machine and a port that this user may open; below 1024 needs a right of its own.`,
      },
    ];
  } finally {
    if (server.listening) await new Promise((resolve) => server.close(resolve));
  }
  return [{ severity: 'ok', code: 'listen-free', message: `${setting}: ${listen} is free` }];

  async function inUse(): Promise<Observation> {
    if (await running(signal)) {
      const message = `${setting}: ${listen} is in use, and a kongfallback runs with these settings`;
      return { severity: 'ok', code: 'listen-running', message };
    }
    return {
      severity,
      code: 'listen-in-use',
      message: `${setting}: ${listen} is in use by something else`,
      hint: `Set ${setting} to a free port, or stop what listens there: ss -ltnp shows it.`,
    };
  }
}
