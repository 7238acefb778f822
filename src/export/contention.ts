import { FallbackError } from '../errors/index.ts';

/** Why a round of an export did not settle anything. */
export type Unsettled = 'conflict' | 'too close' | 'no clock' | 'slow store';

/**
 * The error of an export whose rounds are used up.
 *
 * @param slowStore id of the one that took too long, where that is why
 */
export function unsettled(reason: Unsettled, slowStore?: string): FallbackError {
  switch (reason) {
    case 'conflict':
      return new FallbackError(
        'conflict',
        'KF_EXPORT_CONTENDED',
        'other exporters changed the head at every attempt',
        {
          hint: 'They published meanwhile: look at their logs, and run again.',
        },
      );
    case 'too close':
      return new FallbackError(
        'conflict',
        'KF_EXPORT_TOO_CLOSE',
        'a store holds another configuration of the same age, and which one is newer cannot be told',
        {
          hint: 'Two control planes disagree. It settles when one of them sends again; see export.evidenceMarginSeconds.',
        },
      );
    case 'slow store':
      return new FallbackError(
        'unavailable',
        'KF_CP_CLOCK_UNUSABLE',
        `storage ${slowStore ?? '(unnamed)'} took more than 2 s for every answer, so what it says of the time, by which configurations are told apart, cannot be used`,
        {
          hint: 'Look at the storage and the way to it: an overloaded store, a proxy, or a host of ours that stands still. The control plane is not the cause.',
        },
      );
    case 'no clock':
      return new FallbackError(
        'unavailable',
        'KF_CP_CLOCK_UNUSABLE',
        'the control plane told no usable time on any session, so the age of its configuration is unknown',
        {
          hint: 'Its answers took more than 2 s or carried no Date header: look for an overloaded host or a proxy between.',
        },
      );
  }
}
