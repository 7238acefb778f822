// `kongfallback bootstrap -- COMMAND…`: resolves, runs the gateway as a child, watches for the control plane beside it.
import { resolve } from 'node:path';
import { gatewayEnvironment } from '../bootstrap/gateway-environment.ts';
import { GatewayProcess } from '../bootstrap/gateway-process.ts';
import type { Bootstrapper } from '../composition/bootstrapper.ts';
import type { LoadedSettings } from '../config/index.ts';
import { systemClock, withDeadline } from '../resilience/index.ts';
import { type AttemptOptions, attemptBootstrap, type BootstrapAttempt } from './bootstrap-attempt.ts';
import type { BootstrapFlags } from './bootstrap-flags.ts';
import type { CommandIo } from './command-io.ts';
import { bootstrapJson, bootstrapLine } from './render-bootstrap.ts';
import { renderError } from './render-error.ts';

/** The gateway has ended, and whoever started us waits for that. */
const CLOSE_MS = 5000;

/** @param beside of `run`, where other roles are in the process */
export async function bootstrapGateway(
  command: readonly string[],
  flags: BootstrapFlags,
  io: CommandIo,
  beside: Pick<AttemptOptions, 'seat' | 'warned'> = {},
): Promise<void> {
  const gateway = new GatewayProcess({ terminal: process.stdin.isTTY === true });
  let attempt: BootstrapAttempt | undefined;
  const over = new AbortController();
  try {
    attempt = await attemptBootstrap({ ...beside, flags, io, signal: gateway.stopped, serves: true });
    gateway.stopped.throwIfAborted();
    const running = gateway.run(command, environmentFor(attempt, flags, io));
    watch(attempt, over.signal);
    io.exit(await running);
  } finally {
    over.abort();
    await closed(attempt?.bootstrapper);
    gateway.close();
  }
}

/** Nothing beside the gateway may end it, and it waits for nothing beside it. */
function watch({ outcome, bootstrapper }: BootstrapAttempt, signal: AbortSignal): void {
  const isThereAnythingToSee = outcome?.origin === 'none' || outcome?.applied != null;
  if (isThereAnythingToSee) bootstrapper?.untilHandedBack({ signal }).catch(() => {});
}

async function closed(bootstrapper: Bootstrapper | undefined): Promise<void> {
  if (bootstrapper === undefined) return;
  const never = new AbortController().signal;
  await withDeadline(systemClock, CLOSE_MS, never, 'close', () => bootstrapper.close()).catch(() => {});
}

/** Also a defect of ours must not keep the gateway from starting. */
function environmentFor(attempt: BootstrapAttempt, flags: BootstrapFlags, io: CommandIo): NodeJS.ProcessEnv {
  const { outcome, loaded } = attempt;
  try {
    say(attempt, flags, io);
    return gatewayEnvironment(io.env, outcome, loaded && fileOf(loaded));
  } catch (error) {
    io.stderr(renderError(error));
    return io.env;
  }
}

/** Standard output is the gateway's, but for what `--json` asks for. */
function say({ outcome, redact }: BootstrapAttempt, flags: BootstrapFlags, io: CommandIo): void {
  if (outcome === undefined) return;
  if (flags.json === true) io.stdout(`${redact(JSON.stringify(bootstrapJson(outcome)))}\n`);
  else io.stderr(redact(bootstrapLine(outcome)));
}

/** The file that target `file` writes. */
function fileOf({ entries, baseDirectory }: LoadedSettings): string | undefined {
  const { use, settings } = entries.target ?? {};
  const path = use === 'file' ? (settings as { path?: unknown }).path : undefined;
  return typeof path === 'string' ? resolve(baseDirectory, path) : undefined;
}
