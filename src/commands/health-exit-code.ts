import type { HealthStatus } from '../observe/metrics-state.ts';

/** Of `status` and `drill`: they did their work, and this is what they found. */
export const HEALTH_EXIT_CODE: Readonly<Record<HealthStatus, number>> = { ok: 0, degraded: 21, failed: 22 };
