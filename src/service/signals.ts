import { setMaxListeners } from 'node:events';
import { FallbackError } from '../errors/index.ts';

/** A process has one set of signals: commands that run one after the other in it share it. */
let interrupted: AbortController | undefined;

/**
 * A signal that fires on the first SIGINT or SIGTERM, so that everything under way ends in order; the second ends
 * the process at once. Only the CLI calls this: an embedding program handles its own signals.
 */
export function abortOnSignals(): AbortSignal {
  if (interrupted !== undefined) return interrupted.signal;
  const controller = new AbortController();
  interrupted = controller;
  // Every call under way listens to it; sixteen stores and their pauses are no leak.
  setMaxListeners(0, controller.signal);
  for (const name of ['SIGINT', 'SIGTERM'] as const) {
    process.on(name, () => {
      if (controller.signal.aborted) process.exit(130);
      controller.abort(
        new FallbackError('aborted', 'KF_INTERRUPTED', `interrupted by ${name}`, {
          hint: 'Nothing was left half-done; run it again.',
        }),
      );
    });
  }
  return controller.signal;
}
