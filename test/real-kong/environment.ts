import { accessSync, constants } from 'node:fs';
import { dirname, resolve } from 'node:path';

/** A Kong to test with, and the database of its control plane. */
export interface KongInstallation {
  /** The `kong` executable. */
  readonly bin: string;
  /** `KONG_PG_…` */
  readonly postgres: Readonly<Record<string, string>>;
  /** What any command of this Kong is run with: of ours nothing, above all no KONG_ variable. */
  readonly base: Readonly<Record<string, string>>;
}

type Environment = Readonly<Record<string, string | undefined>>;

/** A Kong that was built and not installed finds its parts by these. */
const KEPT = ['HOME', 'LANG', 'LUA_PATH', 'LUA_CPATH', 'LD_LIBRARY_PATH', 'DYLD_LIBRARY_PATH', 'TZ'];

/**
 * What KONG_BIN and libpq's variables name; or why there is nothing to test with.
 *
 * @throws Error when KONG_BIN names nothing that can be run: it was meant, and a skipped test would hide it
 */
export function kongInstallation(env: Environment): KongInstallation | string {
  const { KONG_BIN, PGDATABASE } = env;
  if (!KONG_BIN) return 'skipped: KONG_BIN is not set (the path of the kong executable of a Kong 3.x)';
  if (!PGDATABASE) {
    return (
      'skipped: PGDATABASE is not set (an empty Postgres database for the control plane, which is emptied again; ' +
      'with PGHOST, PGPORT, PGUSER and PGPASSWORD)'
    );
  }
  const bin = resolve(KONG_BIN);
  try {
    accessSync(bin, constants.X_OK);
  } catch (cause) {
    throw new Error(`KONG_BIN names ${bin}, which cannot be run`, { cause });
  }
  const kept = KEPT.flatMap((name) => (env[name] === undefined ? [] : [[name, env[name]] as const]));
  return {
    bin,
    postgres: {
      KONG_DATABASE: 'postgres',
      KONG_PG_HOST: env['PGHOST'] || '127.0.0.1',
      KONG_PG_PORT: env['PGPORT'] || '5432',
      KONG_PG_USER: env['PGUSER'] || 'kong',
      KONG_PG_DATABASE: PGDATABASE,
      ...(/^(require|verify-ca|verify-full)$/.test(env['PGSSLMODE'] ?? '') && { KONG_PG_SSL: 'on' }),
      ...(env['PGPASSWORD'] ? { KONG_PG_PASSWORD: env['PGPASSWORD'] } : {}),
    },
    base: { ...Object.fromEntries(kept), PATH: `${dirname(bin)}:${env['PATH'] ?? ''}` },
  };
}
