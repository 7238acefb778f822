import type { Readable } from 'node:stream';
import type { PutObjectCommandInput, S3Client } from '@aws-sdk/client-s3';
import type {
  CallOptions,
  GetOptions,
  ObjectInfo,
  ObjectStore,
  PluginContext,
  PutOptions,
  PutResult,
  StoredObject,
} from 'kongfallback/plugin';
import { responseBody } from './body.ts';
import type { Sdk } from './client.ts';
import { nameOf, s3Error, statusOf } from './errors.ts';
import { ServerTimes } from './server-times.ts';
import type { S3Settings } from './settings.ts';

export class S3Store implements ObjectStore {
  readonly #sdk: Sdk;
  readonly #client: S3Client;
  readonly #bucket: string;
  readonly #encryption: Pick<PutObjectCommandInput, 'ServerSideEncryption' | 'SSEKMSKeyId'>;
  readonly #context: PluginContext;
  readonly #times: ServerTimes;

  constructor(sdk: Sdk, client: S3Client, settings: S3Settings, context: PluginContext) {
    const { bucket, kmsKeyId, serverSideEncryption } = settings;
    this.#sdk = sdk;
    this.#client = client;
    this.#bucket = bucket;
    this.#encryption = {
      ...(serverSideEncryption !== undefined && { ServerSideEncryption: serverSideEncryption }),
      ...(kmsKeyId !== undefined && { SSEKMSKeyId: kmsKeyId }),
    };
    this.#context = context;
    this.#times = new ServerTimes(client);
  }

  async get(key: string, options: GetOptions): Promise<StoredObject | 'not-modified' | undefined> {
    const { ifNoneMatch, signal } = options;
    this.#check(signal);
    const request = new this.#sdk.GetObjectCommand({
      Bucket: this.#bucket,
      Key: key,
      ...(ifNoneMatch !== undefined && { IfNoneMatch: ifNoneMatch }),
    });
    try {
      const answer = await this.#client.send(request, { abortSignal: signal });
      const modifiedAt = answer.LastModified;
      return {
        etag: this.#etag(answer.ETag),
        ...(modifiedAt !== undefined && { modifiedAt }),
        ...this.#times.of(answer),
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
    this.#check(signal);
    const request = new this.#sdk.PutObjectCommand({
      Bucket: this.#bucket,
      Key: key,
      Body: body,
      ContentType: 'application/octet-stream',
      ...this.#encryption,
      ...(ifAbsent === true && { IfNoneMatch: '*' }),
      ...(ifMatch !== undefined && { IfMatch: ifMatch }),
    });
    try {
      const answer = await this.#client.send(request, { abortSignal: signal });
      return { etag: this.#etag(answer.ETag), ...this.#times.of(answer) };
    } catch (error) {
      // If-Match on a key that does not exist: AWS answers 404, others 412.
      if (ifMatch !== undefined && statusOf(error) === 404 && nameOf(error) === 'NoSuchKey') {
        throw this.#context.error('conflict', 'not written: it does not exist', {
          cause: error,
          hint: 'Another writer removed it; read the object again and decide.',
        });
      }
      throw this.#error(error, signal);
    }
  }

  async *list(prefix: string, options: CallOptions): AsyncIterable<ObjectInfo> {
    const { signal } = options;
    let token: string | undefined;
    do {
      this.#check(signal);
      const page = await this.#page(prefix, token, signal);
      for (const { Key: key, LastModified: modifiedAt, Size: size = 0 } of page.Contents ?? []) {
        if (key !== undefined) yield { key, size, ...(modifiedAt !== undefined && { modifiedAt }) };
      }
      token = page.IsTruncated === true ? page.NextContinuationToken : undefined;
    } while (token !== undefined);
  }

  async delete(key: string, { signal }: CallOptions): Promise<void> {
    this.#check(signal);
    const request = new this.#sdk.DeleteObjectCommand({ Bucket: this.#bucket, Key: key });
    try {
      await this.#client.send(request, { abortSignal: signal });
    } catch (error) {
      if (statusOf(error) === 404 && nameOf(error) !== 'NoSuchBucket') return;
      throw this.#error(error, signal);
    }
  }

  async close(): Promise<void> {
    this.#client.destroy();
  }

  async #page(prefix: string, token: string | undefined, signal: AbortSignal) {
    const request = new this.#sdk.ListObjectsV2Command({
      Bucket: this.#bucket,
      Prefix: prefix,
      ...(token !== undefined && { ContinuationToken: token }),
    });
    try {
      const page = await this.#client.send(request, { abortSignal: signal });
      // An error document with status 200, or a page of some proxy: an empty listing would be a lie.
      if (page.Name === undefined && page.KeyCount === undefined) throw this.#strange('a listing');
      return page;
    } catch (error) {
      throw this.#error(error, signal);
    }
  }

  #etag(etag: string | undefined): string {
    if (etag !== undefined && etag !== '') return etag;
    throw this.#strange('an ETag');
  }

  #strange(missing: string): Error {
    return this.#context.error(
      'unavailable',
      `bucket ${this.#bucket}: answered with 200 but without ${missing}`,
      {
        hint: 'See that `endpoint` is an S3 server; a proxy or a failing server answers like this.',
      },
    );
  }

  #check(signal: AbortSignal): void {
    if (signal.aborted) throw this.#context.error('aborted', 'stopped before it was done');
  }

  #error(error: unknown, signal: AbortSignal): Error {
    return s3Error(this.#context, error, this.#bucket, signal);
  }
}
