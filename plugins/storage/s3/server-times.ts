import type { S3Client } from '@aws-sdk/client-s3';

/** The server's `Date` of each answer, which the SDK's results do not carry. */
export class ServerTimes {
  readonly #times = new WeakMap<object, Date>();

  /** The same client, whose answers are known from now on. */
  heardBy(client: S3Client): S3Client {
    client.middlewareStack.add(
      (next) => async (args) => {
        const result = await next(args);
        const time = dateOf(result.response);
        if (time !== undefined && result.output !== undefined) this.#times.set(result.output, time);
        return result;
      },
      { step: 'deserialize', priority: 'high', name: 'serverTimes' },
    );
    return client;
  }

  of(output: object): { serverTime?: Date } {
    const serverTime = this.#times.get(output);
    return serverTime === undefined ? {} : { serverTime };
  }
}

function dateOf(response: unknown): Date | undefined {
  const header = (response as { headers?: Record<string, unknown> } | undefined)?.headers?.['date'];
  if (typeof header !== 'string') return undefined;
  const time = new Date(header);
  return Number.isNaN(time.getTime()) ? undefined : time;
}
