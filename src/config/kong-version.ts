import { execFile } from 'node:child_process';

/** Starting Kong's command line takes about 0.3 s; on a busy machine several. */
const DEADLINE_MS = 10_000;
const MOST_OUTPUT_BYTES = 65_536;

/** The version of the Kong that is installed here, as `kong version` says; undefined where there is none. Never throws. */
export function kongVersion(env: Readonly<Record<string, string | undefined>>): Promise<string | undefined> {
  return new Promise((resolve) => {
    execFile(
      'kong',
      ['version'],
      { env, timeout: DEADLINE_MS, killSignal: 'SIGKILL', maxBuffer: MOST_OUTPUT_BYTES },
      (error, stdout) => resolve(error === null ? versionIn(stdout) : undefined),
    );
  });
}

/** "3.9.1", or "Kong Enterprise 3.12.0.0". */
const versionIn = (text: string): string | undefined =>
  /(?<![\d.])\d{1,4}\.\d{1,4}\.\d{1,4}(?:\.\d{1,4})?(?![\d.])/.exec(text)?.[0];
