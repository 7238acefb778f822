// What the forms that start a gateway share: a bootstrap whose failure never keeps the gateway from starting.
import type { BootstrapOutcome } from '../bootstrap/outcome.ts';
import { bootstrapParts } from '../composition/bootstrap.ts';
import { Bootstrapper } from '../composition/bootstrapper.ts';
import { seated } from '../composition/http-service.ts';
import type { LoadedSettings } from '../config/index.ts';
import { FallbackError, kindOf } from '../errors/index.ts';
import type { Logger } from '../plugin/plugin.ts';
import { systemClock, withDeadline } from '../resilience/index.ts';
import type { ServiceSeat } from '../service/service-hub.ts';
import type { BootstrapFlags } from './bootstrap-flags.ts';
import type { CommandIo } from './command-io.ts';
import { openCommandSettings } from './command-settings.ts';
import { oneLine } from './one-line.ts';
import { errorJson } from './render-error.ts';

/** Settings read files, and plugins are loaded: on a file system that hangs, for ever. */
const SETTINGS_MS = 30_000;

export interface BootstrapAttempt {
  /** undefined: it failed. */
  readonly outcome: BootstrapOutcome | undefined;
  /** Why there is no configuration, or no outcome. */
  readonly error: unknown;
  readonly loaded: LoadedSettings | undefined;
  readonly bootstrapper: Bootstrapper | undefined;
  readonly redact: (text: string) => string;
}

export interface AttemptOptions {
  readonly flags: BootstrapFlags;
  readonly io: CommandIo;
  readonly signal: AbortSignal;
  /** Over everything else, as `--set` is. */
  readonly settings?: Readonly<Record<string, string>>;
  /** Health, metrics and status from now on, until the bootstrapper is closed. */
  readonly serves?: boolean;
  /** In the HTTP service that it shares with other roles. */
  readonly seat?: ServiceSeat;
  /** Of roles that were opened before: not logged again. */
  readonly warned?: Set<string>;
}

/**
 * One bootstrap within `bootstrap.waitSeconds`. What fails is told in one loud line.
 *
 * @throws what ended it when the signal fired; what failed, under --strict; why there is no configuration, under --require
 */
export async function attemptBootstrap(options: AttemptOptions): Promise<BootstrapAttempt> {
  const { flags, io, signal, seat, serves, settings, warned } = options;
  let loaded: LoadedSettings | undefined;
  let log: Logger | undefined;
  let bootstrapper: Bootstrapper | undefined;
  let redact = (text: string) => text;
  let outcome: BootstrapOutcome | undefined;
  let error: unknown;
  try {
    const opened = await withDeadline(systemClock, SETTINGS_MS, signal, 'read the settings', () =>
      openCommandSettings('node', flags, io, { settings, ...(warned && { warned }) }),
    );
    ({ loaded, log, redact } = opened);
    checkTarget(loaded);
    const force = flags.force === true;
    const parts = seated(bootstrapParts(loaded, log), seat);
    bootstrapper = new Bootstrapper(parts, { force, env: io.env });
    // Not waited for: nothing holds the gateway up.
    if (serves === true) void bootstrapper.serve();
    outcome = await bootstrapper.untilGiven({ signal });
    error = outcome.error;
  } catch (thrown) {
    error = thrown;
  }
  const refuses =
    (outcome === undefined && (flags.strict === true || flags.require === true)) ||
    (outcome?.origin === 'none' && flags.require === true);
  if (error !== undefined && (signal.aborted || refuses)) {
    await bootstrapper?.close();
    throw signal.aborted && kindOf(error) === 'aborted' ? signal.reason : error;
  }
  if (error !== undefined) tell(error, log, io, redact);
  return { outcome, error, loaded, bootstrapper, redact };
}

/** It is up only after what we do here. */
function checkTarget({ entries }: LoadedSettings): void {
  if (entries.target?.use !== 'kong-admin') return;
  throw new FallbackError(
    'invalid',
    'KF_TARGET_NEEDS_GATEWAY',
    'target kong-admin gives the configuration to a gateway that runs, and here it is to be started afterwards',
    { hint: 'Use target file; or start the gateway by itself and run `kongfallback bootstrap` beside it.' },
  );
}

/** Whoever looks for the reason of 404s must find it. */
function tell(
  error: unknown,
  log: Logger | undefined,
  io: CommandIo,
  redact: (text: string) => string,
): void {
  const { code, message, hint } = errorJson(error);
  const what = 'the gateway starts without a fallback configuration';
  const why = oneLine(message);
  if (log !== undefined) log.error({ event: 'bootstrap.failed-open', code, hint }, `${what}: ${why}`);
  else io.stderr(redact(`error: ${what}: ${why} [${code}]${hint === undefined ? '' : `; hint: ${hint}`}\n`));
}
