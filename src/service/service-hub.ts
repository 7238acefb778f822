// Health, metrics and status of a process: one HTTP service, whatever number of roles tells of itself there.
import type { FallbackError } from '../errors/index.ts';
import type { Metrics } from '../observe/metrics.ts';
import type { ServiceState } from '../observe/metrics-state.ts';
import { version } from '../observe/version.ts';
import type { Clock, Logger } from '../plugin/plugin.ts';
import type { HttpService } from './http.ts';

export interface JoiningRole {
  readonly cluster: string;
  /** `service.listen`. */
  readonly listen: string;
  /** Blanks the secrets that this role knows of. */
  readonly redact: (text: string) => string;
  readonly log: Logger;
  /** Asked for each answer. */
  readonly state: () => ServiceState;
}

/** One role's place in the service. */
export interface ServiceSeat {
  /** @throws FallbackError KF_SERVICE_LISTEN */
  join(role: JoiningRole): Promise<Metrics>;
  /** This role does not run: critical for as long as the process lives. */
  failed(error: FallbackError): void;
}

interface Opened {
  readonly metrics: Metrics;
  readonly http: HttpService;
}

/** Opened by the role that comes first. A role that has a seat and has not come yet is not ready. */
export class ServiceHub {
  readonly #clock: Clock;
  readonly #startedAt: number;
  readonly #seats: { state: () => ServiceState }[] = [];
  readonly #redactions: ((text: string) => string)[] = [];
  #cluster = '';
  #opened: Promise<Opened> | undefined;

  constructor(clock: Clock) {
    this.#clock = clock;
    this.#startedAt = clock.now();
  }

  /** In the order in which the answers tell of the roles. */
  seat(role: ServiceState['role']): ServiceSeat {
    const seat = { state: () => this.#absent(role, 'it is still starting') };
    this.#seats.push(seat);
    return {
      join: async ({ cluster, listen, redact, log, state }) => {
        seat.state = state;
        this.#cluster = cluster;
        this.#redactions.push(redact);
        this.#opened ??= this.#open(listen, log);
        return (await this.#opened).metrics;
      },
      failed: (error) => {
        seat.state = () => this.#absent(role, 'it failed', error);
      },
    };
  }

  async close(): Promise<void> {
    // What could not be opened needs no closing.
    const opened = await this.#opened?.catch(() => undefined);
    await opened?.http.close();
    opened?.metrics.close();
  }

  async #open(listen: string, log: Logger): Promise<Opened> {
    // Loaded here: a command that ends at once must not pay for it.
    const [{ startHttp }, { createMetrics }] = await Promise.all([
      import('./http.ts'),
      import('../observe/metrics.ts'),
    ]);
    const metrics = await createMetrics(version());
    const http = await startHttp({
      listen,
      states: () => this.#seats.map(({ state }) => state()),
      metrics,
      version: version(),
      redact: (text) => this.#redactions.reduce((done, redact) => redact(done), text),
      clock: this.#clock,
      log,
    }).catch((error: unknown) => {
      metrics.close();
      throw error;
    });
    return { metrics, http };
  }

  #absent(role: ServiceState['role'], notReady: string, error?: FallbackError): ServiceState {
    return {
      role,
      cluster: this.#cluster,
      startedAt: this.#startedAt,
      notReady,
      origin: null,
      lines: [],
      stores: [],
      findings: error === undefined ? [] : [roleFailed(role, error)],
      drills: [],
    };
  }
}

const roleFailed = (
  role: ServiceState['role'],
  { code, message, hint }: FallbackError,
): ServiceState['findings'][number] => ({
  code: 'role-failed',
  about: role,
  severity: 'critical',
  message: `the ${role} does not run in this process: ${message} [${code}]`,
  ...(hint !== undefined && { hint }),
});
