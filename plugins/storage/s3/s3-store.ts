import type { Readable } from 'node:stream';
import type { LifecycleRule, PutObjectCommandInput, S3Client } from '@aws-sdk/client-s3';
import type {
  CallOptions,
  GetOptions,
  InspectOptions,
  ObjectInfo,
  ObjectStore,
  PluginContext,
  PutOptions,
  PutResult,
  StoredObject,
  StoreInspection,
} from 'kongfallback/plugin';
import { responseBody } from './body.ts';
import type { Sdk } from './client.ts';
import type { Connection } from './connection.ts';
import { nameOf, s3Error, spareCause, statusOf } from './errors.ts';
import { inspectBucket } from './inspect.ts';
import type { Pace } from './pace.ts';
import type { ServerTimes } from './server-times.ts';
import type { S3Settings } from './settings.ts';

export interface S3StoreOptions {
  readonly sdk: Sdk;
  readonly connection: Connection;
  readonly times: ServerTimes;
  readonly pace: Pace;
  readonly settings: S3Settings;
  readonly context: PluginContext;
}

export class S3Store implements ObjectStore {
  readonly #options: S3StoreOptions;
  readonly #bucket: string;
  readonly #arguments: Partial<PutObjectCommandInput>;

  constructor(options: S3StoreOptions) {
    const { bucket, kmsKeyId, putObject, serverSideEncryption } = options.settings;
    this.#options = options;
    this.#bucket = bucket;
    this.#arguments = {
      ContentType: 'application/octet-stream',
      ...(putObject as Partial<PutObjectCommandInput> | undefined),
      ...(serverSideEncryption !== undefined && { ServerSideEncryption: serverSideEncryption }),
      ...(kmsKeyId !== undefined && { SSEKMSKeyId: kmsKeyId }),
    };
  }

  async get(key: string, options: GetOptions): Promise<StoredObject | 'not-modified' | undefined> {
    const { ifNoneMatch, signal } = options;
    const { sdk, times } = this.#options;
    const request = new sdk.GetObjectCommand({
      Bucket: this.#bucket,
      Key: key,
      ...(ifNoneMatch !== undefined && { IfNoneMatch: ifNoneMatch }),
    });
    try {
      const answer = await this.#send(signal, (client) => client.send(request, { abortSignal: signal }));
      const modifiedAt = answer.LastModified;
      return {
        etag: this.#etag(answer.ETag),
        ...(modifiedAt !== undefined && { modifiedAt }),
        ...times.of(answer),
        body: responseBody(answer.Body as Readable, signal, (error) => this.#error(error, signal)),
      };
    } catch (error) {
      if (statusOf(error) === 304) return 'not-modified';
      if (statusOf(error) === 404 && nameOf(error) === 'NoSuchKey') return undefined;
      throw this.#error(error, signal);
    }
  }

  async put(key: string, body: Uint8Array<ArrayBuffer>, options: PutOptions): Promise<PutResult> {
    const { ifAbsent, ifMatch, signal } = options;
    const { pace, sdk, times } = this.#options;
    const request = new sdk.PutObjectCommand({
      ...this.#arguments,
      Bucket: this.#bucket,
      Key: key,
      Body: body,
      ...(ifAbsent === true && { IfNoneMatch: '*' }),
      ...(ifMatch !== undefined && { IfMatch: ifMatch }),
    });
    try {
      const answer = await pace.run(key, signal, () =>
        this.#send(signal, (client) => client.send(request, { abortSignal: signal })),
      );
      return { etag: this.#etag(answer.ETag), ...times.of(answer) };
    } catch (error) {
      const status = statusOf(error);
      // If-Match on a key that does not exist: AWS answers 404, others 412.
      const gone = ifMatch !== undefined && status === 404 && nameOf(error) === 'NoSuchKey';
      // If-None-Match on a key that exists: MinIO's answer before 2024, the one that a GET would get.
      if (gone || status === 304) {
        throw this.#options.context.error(
          'conflict',
          `not written: it ${gone ? 'does not exist' : 'exists already'}`,
          { cause: spareCause(error), hint: 'Another writer was faster; read the object again and decide.' },
        );
      }
      throw this.#error(error, signal);
    }
  }

  async *list(prefix: string, { signal }: CallOptions): AsyncIterable<ObjectInfo> {
    let token: string | undefined;
    do {
      const page = await this.#page(prefix, token, signal);
      for (const { Key: key, LastModified: modifiedAt, Size: size = 0 } of page.Contents ?? []) {
        if (key !== undefined) yield { key, size, ...(modifiedAt !== undefined && { modifiedAt }) };
      }
      token = page.IsTruncated === true ? page.NextContinuationToken : undefined;
    } while (token !== undefined);
  }

  async delete(key: string, { signal }: CallOptions): Promise<void> {
    const request = new this.#options.sdk.DeleteObjectCommand({ Bucket: this.#bucket, Key: key });
    try {
      await this.#send(signal, (client) => client.send(request, { abortSignal: signal }));
    } catch (error) {
      if (statusOf(error) === 404 && nameOf(error) !== 'NoSuchBucket') return;
      throw this.#error(error, signal);
    }
  }

  inspect(options: InspectOptions): Promise<StoreInspection> {
    const tagged = this.#arguments.Tagging !== undefined;
    return inspectBucket({ store: this, rules: (signal) => this.#rules(signal), tagged }, options);
  }

  async close(): Promise<void> {
    this.#options.connection.close();
  }

  /** Undefined: not to be seen by these credentials, or unknown to this server. */
  async #rules(signal: AbortSignal): Promise<readonly LifecycleRule[] | undefined> {
    const request = new this.#options.sdk.GetBucketLifecycleConfigurationCommand({ Bucket: this.#bucket });
    try {
      return (
        (await this.#send(signal, (client) => client.send(request, { abortSignal: signal }))).Rules ?? []
      );
    } catch (error) {
      if (nameOf(error) === 'NoSuchLifecycleConfiguration') return [];
      if ([400, 403, 404, 405, 501].includes(statusOf(error) ?? 0)) return undefined;
      throw this.#error(error, signal);
    }
  }

  async #page(prefix: string, token: string | undefined, signal: AbortSignal) {
    const request = new this.#options.sdk.ListObjectsV2Command({
      Bucket: this.#bucket,
      Prefix: prefix,
      ...(token !== undefined && { ContinuationToken: token }),
    });
    try {
      const page = await this.#send(signal, (client) => client.send(request, { abortSignal: signal }));
      // An error document with status 200, or a page of some proxy: an empty listing would be a lie.
      if (page.Name === undefined && page.KeyCount === undefined) throw this.#strange('a listing');
      return page;
    } catch (error) {
      throw this.#error(error, signal);
    }
  }

  async #send<T>(signal: AbortSignal, request: (client: S3Client) => Promise<T>): Promise<T> {
    const { connection, context } = this.#options;
    if (signal.aborted) throw context.error('aborted', 'stopped before it was done');
    const client = await connection.ready(signal);
    try {
      return await request(client);
    } catch (error) {
      connection.failed(client, error);
      throw error;
    }
  }

  #etag(etag: string | undefined): string {
    if (etag !== undefined && etag !== '') return etag;
    throw this.#strange('an ETag');
  }

  #strange(missing: string): Error {
    return this.#options.context.error(
      'unavailable',
      `bucket ${this.#bucket}: answered with 200 but without ${missing}`,
      {
        hint: 'See that `endpoint` is an S3 server; a proxy or a failing server answers like this.',
      },
    );
  }

  #error(error: unknown, signal: AbortSignal): Error {
    return s3Error(this.#options.context, error, this.#bucket, signal);
  }
}
