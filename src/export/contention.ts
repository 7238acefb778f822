import { FallbackError } from '../errors/index.ts';

/** Why a round of an export did not settle anything. */
export type Unsettled = 'conflict' | 'too close' | 'no clock';

/** The error of an export whose rounds are used up. */
export function unsettled(reason: Unsettled): FallbackError {
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
