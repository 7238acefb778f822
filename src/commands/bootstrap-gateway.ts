// `kongfallback bootstrap -- COMMAND…`: resolves, runs the gateway as a child, watches for the control plane beside it.
import { resolve } from 'node:path';
import { gatewayEnvironment } from '../bootstrap/gateway-environment.ts';
import { GatewayProcess } from '../bootstrap/gateway-process.ts';
import type { LoadedSettings } from '../config/index.ts';
import { attemptBootstrap, type BootstrapAttempt } from './bootstrap-attempt.ts';
import type { BootstrapFlags } from './bootstrap-flags.ts';
import type { CommandIo } from './command-io.ts';
import { bootstrapJson, bootstrapLine } from './render-bootstrap.ts';
import { renderError } from './render-error.ts';

export async function bootstrapGateway(
  command: readonly string[],
  flags: BootstrapFlags,
  io: CommandIo,
): Promise<void> {
  const gateway = new GatewayProcess({ terminal: process.stdin.isTTY === true });
  try {
    const attempt = await attemptBootstrap({ flags, io, signal: gateway.stopped });
    gateway.stopped.throwIfAborted();
    const over = new AbortController();
    const { outcome, bootstrapper } = attempt;
    const running = gateway.run(command, environmentFor(attempt, flags, io));
    // Nothing beside the gateway may end it, and it waits for nothing beside it.
    const closed = bootstrapper?.close();
    const watching =
      outcome?.applied == null ? undefined : bootstrapper?.untilHandedBack({ signal: over.signal });
    watching?.catch(() => {});
    try {
      io.exit(await running);
    } finally {
      over.abort();
      await Promise.allSettled([closed, watching]);
    }
  } finally {
    gateway.close();
  }
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
