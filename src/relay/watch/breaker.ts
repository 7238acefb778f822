import CircuitBreaker from 'opossum';
import type { BreakerState } from '../../resilience/index.ts';

/** The longest that a timer takes: 24.8 days. */
const NEVER_MS = 2 ** 31 - 1;

/**
 * The circuit between data planes and the control plane. Its state is opossum's; when it changes is decided by looks
 * and by our own clock, never by counts or timers of opossum: one success in the half-open state is not yet a control
 * plane that is back.
 */
export class WatchBreaker {
  #circuit = circuit('closed');

  get state(): BreakerState {
    if (this.#circuit.opened) return 'open';
    return this.#circuit.halfOpen ? 'half-open' : 'closed';
  }

  open(): void {
    this.#circuit.open();
  }

  /** opossum itself gets there by a timer only; it is given a circuit that begins so. */
  halfOpen(): void {
    if (this.#circuit.halfOpen) return;
    this.#circuit.shutdown();
    this.#circuit = circuit('half-open');
  }

  close(): void {
    this.#circuit.close();
  }

  /** Ends the timers. */
  shutdown(): void {
    this.#circuit.shutdown();
  }
}

function circuit(state: 'closed' | 'half-open'): CircuitBreaker {
  const made = new CircuitBreaker(async () => {}, {
    name: 'control plane',
    timeout: false,
    resetTimeout: NEVER_MS,
    enableSnapshots: false,
    rollingPercentilesEnabled: false,
    ...(state === 'half-open' && { state: HALF_OPEN }),
  });
  // An outage may outlast the longest timer.
  made.on('halfOpen', () => made.open());
  return made;
}

const HALF_OPEN = { enabled: true, closed: false, open: false, halfOpen: true } as CircuitBreaker.State;
