import CircuitBreaker from 'opossum';
import { classify, FallbackError } from '../errors/index.ts';

export interface BreakerPolicy {
  /** Share of failures, 0..100, that opens the circuit. */
  readonly errorThresholdPercentage: number;
  /** Calls in the window below which it never opens. */
  readonly volumeThreshold: number;
  /** Milliseconds until an open circuit lets one call through. */
  readonly resetTimeoutMs: number;
  /** Length of the window in milliseconds: several periods of the rarest caller (dependencies.md, opossum). */
  readonly windowMs: number;
}

export const DEFAULT_BREAKER: BreakerPolicy = {
  errorThresholdPercentage: 50,
  volumeThreshold: 3,
  resetTimeoutMs: 10_000,
  windowMs: 60_000,
};

export type BreakerState = 'closed' | 'open' | 'half-open';

/**
 * A circuit breaker around operations of any kind. Only `unavailable` counts as a failure. `denied` does not: it is
 * an answer, and a reader without the right to list gets it for an object that is merely missing. Time limits
 * belong inside `work` (`withDeadline`), with a signal of its own per call: opossum's is shared by concurrent calls.
 */
export class Breaker {
  readonly name: string;
  readonly #circuit: CircuitBreaker<[() => Promise<unknown>], unknown>;
  /** Why the circuit is open: what is not tried tells it again, since it may be all that an operator gets to see. */
  #lastFailure: FallbackError | undefined;

  constructor(
    name: string,
    policy: BreakerPolicy = DEFAULT_BREAKER,
    onState: (state: BreakerState) => void = () => {},
  ) {
    this.name = name;
    this.#circuit = new CircuitBreaker((work: () => Promise<unknown>) => work(), {
      name,
      timeout: false,
      errorThresholdPercentage: policy.errorThresholdPercentage,
      volumeThreshold: policy.volumeThreshold,
      resetTimeout: policy.resetTimeoutMs,
      rollingCountTimeout: policy.windowMs,
      errorFilter: (error: FallbackError) => error.kind !== 'unavailable',
    });
    this.#circuit.on('open', () => onState('open'));
    this.#circuit.on('halfOpen', () => onState('half-open'));
    this.#circuit.on('close', () => onState('closed'));
  }

  get state(): BreakerState {
    if (this.#circuit.opened) return 'open';
    return this.#circuit.halfOpen ? 'half-open' : 'closed';
  }

  /** @throws FallbackError `unavailable` KF_BREAKER_OPEN, without calling `work`, while the circuit is open */
  async run<T>(what: string, work: () => Promise<T>): Promise<T> {
    try {
      return (await this.#circuit.fire(() =>
        work().catch((thrown: unknown) => {
          throw classify(thrown, what);
        }),
      )) as T;
    } catch (error) {
      if ((error as { code?: unknown }).code === 'EOPENBREAKER') {
        throw notTried(what, this.name, this.#lastFailure);
      }
      const classified = classify(error, what);
      if (classified.kind === 'unavailable') this.#lastFailure = classified;
      throw classified;
    }
  }

  close(): void {
    this.#circuit.shutdown();
  }
}

function notTried(what: string, name: string, last: FallbackError | undefined): FallbackError {
  const because = last === undefined ? '' : `: ${last.message}`;
  return new FallbackError(
    'unavailable',
    'KF_BREAKER_OPEN',
    `${what}: not tried, ${name} failed repeatedly${because}`,
    { cause: last, hint: last?.hint ?? 'Try again later; the earlier errors in the log say what is wrong.' },
  );
}
