// `kongfallback run` with several roles: one process, one HTTP service, one set of signals, one ordered end.
import { ROLE_SERVICES, type RoleContext } from '../composition/roles.ts';
import type { RunRole } from '../config/index.ts';
import { classify, FallbackError } from '../errors/index.ts';
import type { Logger } from '../plugin/plugin.ts';
import { systemClock, withDeadline } from '../resilience/index.ts';
import { type GroupedRole, runTogether } from '../service/role-group.ts';
import { ServiceHub, type ServiceSeat } from '../service/service-hub.ts';
import { abortOnSignals } from '../service/signals.ts';
import { bootstrapGateway } from './bootstrap-gateway.ts';
import { report } from './bootstrap-report.ts';
import type { CommandIo } from './command-io.ts';
import { openCommandSettings } from './command-settings.ts';
import { renderError } from './render-error.ts';
import type { RunFlags } from './run-flags.ts';

const CLOSE_MS = 5000;
const ENDING = ['SIGTERM', 'SIGINT', 'SIGQUIT', 'SIGHUP'] as const;

/** What the roles of this process share. */
interface Shared {
  readonly hub: ServiceHub;
  readonly warned: Set<string>;
  readonly learners: RoleContext['learners'];
  /** What SIGHUP asks for. */
  readonly looks: Set<() => void>;
  readonly flags: RunFlags;
  readonly io: CommandIo;
}

/**
 * Until a signal ends all of them in order, or the first of them ends by itself.
 *
 * @throws what keeps one from starting, before any was started; what ended the first one
 */
export async function runSeveral(roles: readonly RunRole[], flags: RunFlags, io: CommandIo): Promise<void> {
  const until = abortOnSignals();
  const shared = share(flags, io);
  const created: GroupedRole[] = [];
  try {
    for (const role of roles) created.push(await create(role, shared.hub.seat(role), shared));
  } catch (error) {
    for (const { close } of created.reverse()) await close();
    throw error;
  }
  const lookNow = () => {
    for (const look of shared.looks) look();
  };
  if (shared.looks.size > 0) process.on('SIGHUP', lookNow);
  try {
    await runTogether(created, { until, clock: systemClock });
  } finally {
    process.off('SIGHUP', lookNow);
    await closed(shared.hub);
  }
}

/**
 * The node as the gateway's parent, the other roles beside it. What happens to them is logged and seen at /health: it
 * neither keeps the gateway from starting nor ends it.
 */
export async function runBesideGateway(
  roles: readonly RunRole[],
  command: readonly string[],
  flags: RunFlags,
  io: CommandIo,
): Promise<void> {
  const shared = share(flags, io);
  const seats = new Map(roles.map((role) => [role, shared.hub.seat(role)]));
  const over = new AbortController();
  const stop = () => over.abort(new FallbackError('aborted', 'KF_INTERRUPTED', 'the gateway has ended'));
  // The gateway gets them as well; its end ends the process.
  for (const name of ENDING) process.on(name, stop);
  const beside = [...seats].filter(([role]) => role !== 'node');
  const running = beside.map(([role, seat]) => runBeside(role, seat, shared, over.signal));
  const seat = seats.get('node');
  try {
    await bootstrapGateway(command, flags, io, { warned: shared.warned, ...(seat && { seat }) });
  } finally {
    stop();
    await within('stop the roles beside the gateway', () => Promise.all(running));
    await closed(shared.hub);
    for (const name of ENDING) process.off(name, stop);
  }
}

/** Never rejects. */
async function runBeside(
  role: RunRole,
  seat: ServiceSeat,
  shared: Shared,
  until: AbortSignal,
): Promise<void> {
  let log: Logger | undefined;
  try {
    const created = await create(role, seat, shared);
    log = created.log;
    await runTogether([created], { until, clock: systemClock });
  } catch (thrown) {
    const error = classify(thrown, role);
    seat.failed(error);
    const message = `the ${role} does not run, the gateway goes on without it: ${error.message}`;
    const { code, hint } = error;
    if (log !== undefined) log.error({ event: 'role.failed', role, code, hint }, message);
    else shared.io.stderr(renderError(error));
  }
}

async function create(role: RunRole, seat: ServiceSeat, shared: Shared): Promise<GroupedRole> {
  const entry = ROLE_SERVICES[role];
  const { flags, io, learners, looks, warned } = shared;
  const { loaded, log: unnamed, redact } = await openCommandSettings(role, flags, io, { warned });
  const log = named(unnamed, role);
  const service = await entry.create({
    loaded,
    log,
    seat,
    learners,
    env: io.env,
    // Its warnings were said at the start.
    reload: async () => (await openCommandSettings(role, flags, io, { level: 'error' })).loaded,
    onOutcome: (outcome) => report(outcome, flags, io, redact),
  });
  if (service.lookNow !== undefined) looks.add(() => service.lookNow?.());
  return {
    name: role,
    log,
    stopMs: entry.stopMs(loaded),
    run: (signal) => service.run(signal),
    close: () => service.close(),
  };
}

/** Which role a line is of. */
const named = (log: Logger, role: RunRole): Logger => ({
  debug: (fields, message) => log.debug({ role, ...fields }, message),
  info: (fields, message) => log.info({ role, ...fields }, message),
  warn: (fields, message) => log.warn({ role, ...fields }, message),
  error: (fields, message) => log.error({ role, ...fields }, message),
});

const share = (flags: RunFlags, io: CommandIo): Shared => ({
  hub: new ServiceHub(systemClock),
  warned: new Set(),
  learners: new Set(),
  looks: new Set(),
  flags,
  io,
});

const closed = (hub: ServiceHub): Promise<void> => within('close the HTTP service', () => hub.close());

/** Nobody is kept waiting for what does not end: the process is about to. */
async function within(what: string, work: () => Promise<unknown>): Promise<void> {
  await withDeadline(systemClock, CLOSE_MS, new AbortController().signal, what, work).catch(() => {});
}
