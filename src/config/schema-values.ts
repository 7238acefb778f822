import * as z from 'zod';

// Kinds of values that several settings have.

const NAME = /^[A-Za-z0-9][A-Za-z0-9._-]{0,62}$/;
const GATEWAY_VERSION = /^\d{1,4}\.\d{1,4}\.\d{1,4}(\.\d{1,4})?$/;
const HOST_PORT = /^(\[[0-9a-fA-F:.]{2,45}\]|[A-Za-z0-9]([A-Za-z0-9._-]{0,252}))(:\d{1,5})?$/;

export const seconds = (most: number) => z.number().min(0).max(most);
export const name = (what: string) =>
  z.string().regex(NAME, `expected ${what}: 1 to 63 letters, digits, dots, dashes or underscores`);
export const gatewayVersion = z
  .string()
  .regex(GATEWAY_VERSION, 'expected an exact gateway version in quotes, such as "3.9.1"');
export const hostPort = z
  .string()
  .regex(HOST_PORT, 'expected host:port without a scheme, such as cp.internal:8005 or [fd00::1]:8005')
  .refine((text) => Number(/:(\d+)$/.exec(text)?.[1] ?? 1) <= 65_535 && !text.endsWith(':0'), {
    error: 'expected a port between 1 and 65535',
  });

export const listen = z
  .string()
  .regex(HOST_PORT, 'expected host:port to listen on, such as 127.0.0.1:8010 or [::]:8010')
  .refine((text) => /:\d+$/.test(text) && Number(/:(\d+)$/.exec(text)?.[1]) <= 65_535, {
    error: 'expected a port between 0 and 65535 (0 takes any free one)',
  });

/** Five fields, or six with seconds; in UTC. */
export const cron = (example: string) =>
  z
    .string()
    .regex(
      /^\S+( +\S+){4,5}$/,
      `expected a cron expression of five fields (six with seconds), in UTC, such as "${example}"`,
    );
