// The gateway as our child: it has our input and output, our signals go to it, its end is ours.
import { type ChildProcess, spawn } from 'node:child_process';
import { constants } from 'node:os';
import { FallbackError } from '../errors/index.ts';

/** What init systems, container runtimes and `kong` send a gateway; not SIGWINCH, with which nginx ends its workers. */
const FORWARDED = ['SIGTERM', 'SIGINT', 'SIGQUIT', 'SIGHUP', 'SIGUSR1', 'SIGUSR2'] as const;
/** Those that mean the end also before there is a gateway. */
const ENDING: readonly NodeJS.Signals[] = ['SIGTERM', 'SIGINT', 'SIGQUIT', 'SIGHUP'];

export interface GatewayProcessOptions {
  /** A terminal sends its Ctrl-C to the gateway by itself. */
  readonly terminal: boolean;
  readonly process?: Pick<NodeJS.Process, 'on' | 'off'>;
}

/**
 * From its construction on this process's signals are taken: they abort `stopped` until the gateway is started, and go
 * to the gateway from then on. As process 1 of a container it reaps the gateway alone; a gateway that leaves orphans
 * needs an init such as tini before it.
 */
export class GatewayProcess {
  readonly #terminal: boolean;
  readonly #process: Pick<NodeJS.Process, 'on' | 'off'>;
  readonly #stop = new AbortController();
  #child: ChildProcess | undefined;

  constructor({ terminal, process: from = process }: GatewayProcessOptions) {
    this.#terminal = terminal;
    this.#process = from;
    for (const name of FORWARDED) from.on(name, this.#onSignal);
  }

  /** A signal came before there was a gateway: none is to be started. */
  get stopped(): AbortSignal {
    return this.#stop.signal;
  }

  /**
   * Runs it to its end.
   *
   * @returns its exit code; 128 and the number of the signal that ended it
   * @throws FallbackError `invalid` KF_GATEWAY_NOT_STARTED
   */
  run(command: readonly string[], env: NodeJS.ProcessEnv): Promise<number> {
    const [program = '', ...rest] = command;
    const child = spawn(program, rest, { env, stdio: 'inherit' });
    this.#child = child;
    return new Promise((resolve, reject) => {
      child.on('error', (error) => {
        // A signal that could not be sent is one as well; the gateway runs on.
        if (child.pid === undefined) reject(notStarted(program, error));
      });
      child.on('exit', (code, signal) => resolve(code ?? 128 + constants.signals[signal ?? 'SIGKILL']));
    });
  }

  close(): void {
    for (const name of FORWARDED) this.#process.off(name, this.#onSignal);
  }

  readonly #onSignal = (name: NodeJS.Signals): void => {
    if (this.#child !== undefined) {
      if (name !== 'SIGINT' || !this.#terminal) this.#child.kill(name);
    } else if (ENDING.includes(name)) {
      this.#stop.abort(new FallbackError('aborted', 'KF_INTERRUPTED', `interrupted by ${name}`));
    }
  };
}

function notStarted(program: string, cause: Error): FallbackError {
  return new FallbackError(
    'invalid',
    'KF_GATEWAY_NOT_STARTED',
    `${program} cannot be started: ${cause.message}`,
    { cause, hint: 'Name a program that is there and executable behind --, with its full path if need be.' },
  );
}
