import type { LoadedSettings } from '../config/index.ts';
import type { Findings, Redactor } from '../observe/index.ts';
import type { Clock, Logger } from '../plugin/plugin.ts';
import type { Source } from '../plugin/source.ts';
import type { Target } from '../plugin/target.ts';
import type { Breaker, Outside, Random } from '../resilience/index.ts';
import type { Lifecycle } from '../service/lifecycle.ts';
import type { ServiceSeat } from '../service/service-hub.ts';
import type { DocumentWorker } from '../snapshot/document-worker.ts';
import type { GuardedStore } from '../snapshot/guarded-store.ts';
import type { Signer, Trust } from '../snapshot/keys.ts';
import type { Sealing } from '../snapshot/sealing.ts';
import type { HeadWatches } from '../status/head-watches.ts';
import { token } from './tokens.ts';

// What a role is made of. An embedder or a test provides any of these again before the first use.
export const Part = {
  settings: token<LoadedSettings>('settings'),
  clock: token<Clock>('clock'),
  random: token<Random>('random'),
  log: token<Logger>('log'),
  /** Of what leaves the process by other ways than the log. */
  redactor: token<Redactor>('redactor'),
  lifecycle: token<Lifecycle>('lifecycle'),
  findings: token<Findings>('findings'),
  outside: token<Outside>('outside'),
  stores: token<Promise<readonly GuardedStore[]>>('stores'),
  /** Of the stores, by id. */
  breakers: token<Map<string, Breaker>>('breakers'),
  heads: token<HeadWatches>('heads'),
  sealing: token<Promise<Sealing>>('sealing'),
  trust: token<Trust>('trust'),
  signers: token<readonly Signer[]>('signers'),
  worker: token<DocumentWorker>('document worker'),
  source: token<Promise<Source>>('source'),
  target: token<Promise<Target>>('target'),
  /** In the HTTP service that the roles of a process share; undefined: this role opens one for itself. */
  seat: token<ServiceSeat | undefined>('seat in the HTTP service'),
} as const;
