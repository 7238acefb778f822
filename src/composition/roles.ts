import type { BootstrapOutcome } from '../bootstrap/outcome.ts';
import type { LoadedSettings, RunRole } from '../config/index.ts';
import type { SeenGateway } from '../export/learnt-versions.ts';
import type { Logger } from '../plugin/plugin.ts';
import type { ServiceSeat } from '../service/service-hub.ts';
import { seated } from './http-service.ts';

/** One role of a process, for as long as that lives. */
export interface RoleService {
  /** Until the signal fires, and then for as long as it takes to end in order. */
  run(signal: AbortSignal): Promise<void>;
  close(): Promise<void>;
  /** Reads again what may change while it runs. */
  lookNow?(): void;
}

export interface RoleContext {
  /** Loaded for this role. */
  readonly loaded: LoadedSettings;
  readonly log: Logger;
  readonly seat: ServiceSeat;
  readonly env: NodeJS.ProcessEnv;
  /** Reads the settings of this role again. */
  readonly reload: () => Promise<LoadedSettings>;
  /** Of the node. */
  readonly onOutcome: (outcome: BootstrapOutcome) => void;
  /** Those of this process who want to know which data planes there are; the relay tells them. */
  readonly learners: Set<(seen: SeenGateway) => void>;
}

/** What is under way when an exporter stops has 15 s; the rest is small. */
const EXPORTER_STOP_MS = 25_000;
const NODE_STOP_MS = 10_000;
/** Above the time that its data planes are let go in. */
const RELAY_STOP_MS = 5000;

interface RoleEntry {
  readonly create: (context: RoleContext) => Promise<RoleService>;
  /** From the signal to the end of `run`, milliseconds. */
  readonly stopMs: (loaded: LoadedSettings) => number;
}

/** A process loads the roles that it has. */
export const ROLE_SERVICES: Readonly<Record<RunRole, RoleEntry>> = {
  exporter: {
    create: async ({ loaded, log, seat, learners }) => {
      const { Exporter, exporterParts } = await import('./exporter.ts');
      const exporter = new Exporter(seated(exporterParts(loaded, log), seat));
      learners.add((seen) => exporter.learn(seen));
      return exporter;
    },
    stopMs: () => EXPORTER_STOP_MS,
  },
  node: {
    create: async ({ loaded, log, seat, env, onOutcome }) => {
      const [{ Bootstrapper }, { bootstrapParts }] = await Promise.all([
        import('./bootstrapper.ts'),
        import('./bootstrap.ts'),
      ]);
      const node = new Bootstrapper(seated(bootstrapParts(loaded, log), seat), { env });
      return { run: (signal) => node.run(signal, onOutcome), close: () => node.close() };
    },
    stopMs: () => NODE_STOP_MS,
  },
  relay: {
    create: async ({ loaded, log, seat, reload, learners }) => {
      const [{ RelayService }, { relayParts }] = await Promise.all([
        import('./relay-service.ts'),
        import('./relay.ts'),
      ]);
      return new RelayService(seated(relayParts(loaded, log), seat), {
        reload,
        onDataPlane: (seen) => {
          for (const learn of learners) learn(seen);
        },
      });
    },
    stopMs: ({ settings }) => settings.relay.drainSeconds * 1000 + RELAY_STOP_MS,
  },
};
