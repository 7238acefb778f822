// Step 1 of 4: a session with the source → the newest configuration on it.
import { FallbackError } from '../errors/index.ts';
import type { ReceivedConfiguration, Source, SourceSession } from '../plugin/index.ts';

/**
 * Opens a session and returns the first configuration on it. A control plane sends its whole configuration to
 * whoever connects, so a session requested after a head was read is evidence about that head.
 *
 * The caller closes the session.
 */
export async function receiveFirst(
  source: Source,
  gatewayVersion: string,
  signal: AbortSignal,
): Promise<{ readonly session: SourceSession; readonly received: ReceivedConfiguration }> {
  const session = await source.open({ gatewayVersion, signal });
  try {
    for await (const received of session.configurations) return { session, received };
  } catch (error) {
    await session.close();
    throw error;
  }
  await session.close();
  throw new FallbackError(
    'unavailable',
    'KF_SOURCE_ENDED',
    'the source ended without sending a configuration',
    {
      hint: 'Try again; if it stays so, look at the log of the control plane.',
    },
  );
}
