// An S3 server for tests: path style, one bucket, in memory. Signatures are not checked, but who signs is. It
// does what no real server does on demand: 409, lost answers, cut bodies, a clock of its own.
import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { createServer as createTlsServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import type { CertificatePair } from '../stand-in/certificates.ts';
import { errorXml, listXml } from './double-xml.ts';

export type S3Operation = 'get' | 'put' | 'delete' | 'list' | 'other';

export interface S3Request {
  readonly operation: S3Operation;
  readonly key: string;
  readonly accessKeyId: string;
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
  /** Answered status; 0 for a connection that was cut or left hanging. */
  status: number;
}

export type S3FaultAct =
  | {
      readonly status: number;
      readonly code: string;
      readonly headers?: Record<string, string>;
      /** XML inside the error document. */
      readonly details?: string;
    }
  /** The connection is reset without an answer. */
  | { readonly reset: true }
  /** Nothing is ever answered. */
  | { readonly hang: true }
  /** A GET's body ends after that many bytes: the connection is cut, or stays silent, or ends cleanly. */
  | { readonly bodyBytes: number; readonly then: 'cut' | 'stall' | 'end' }
  /** 200 with an error document as body. */
  | { readonly xml200: string }
  | { readonly html200: true };

export interface S3Fault {
  readonly on: S3Operation;
  readonly key?: RegExp;
  /** Requests that pass before. */
  after?: number;
  /** Requests that it strikes; default: all. */
  times?: number;
  /** A put takes effect although the answer is lost. Default: before. */
  readonly when?: 'before-effect' | 'after-effect';
  readonly act: S3FaultAct;
}

export interface S3DoubleOptions {
  readonly bucket?: string;
  readonly pageSize?: number;
  /** Ignores conditions without a word, as some servers do. */
  readonly ignoreConditions?: boolean;
  /** Takes "only if absent" for "only if present", as a version of Ceph did. */
  readonly invertConditions?: boolean;
  /** Status for a condition that does not hold; 304 is what MinIO answered before 2024. Default: 412. */
  readonly brokenConditionStatus?: 412 | 304;
  /** A second write of a key within that time is answered with 429, as R2 does. Milliseconds. */
  readonly writeIntervalMs?: number;
  /** Access keys that may write besides WRITER; the double takes them away again to let credentials expire. */
  readonly writers?: Set<string>;
  /** HTTPS instead of HTTP. */
  readonly tls?: CertificatePair;
  /** Bucket in the host name, under this domain, instead of in the path. */
  readonly virtualHostsOf?: string;
  /** How far this server's clock is from the machine's. */
  readonly clockOffsetMs?: number;
  /** Milliseconds since 1970. Default: the machine's clock. */
  readonly now?: () => number;
}

export const WRITER = { accessKeyId: 'WRITER', secretAccessKey: 'writer-secret' };
/** May only GetObject: a missing key is 403 for it, as AWS says without s3:ListBucket. */
export const READER = { accessKeyId: 'READER', secretAccessKey: 'reader-secret' };

const MAX_SKEW_MS = 15 * 60_000;

interface Held {
  readonly bytes: Buffer;
  readonly etag: string;
  readonly modifiedAt: Date;
}

export class S3Double {
  readonly bucket: string;
  readonly objects = new Map<string, Held>();
  readonly requests: S3Request[] = [];
  faults: S3Fault[] = [];
  readonly #options: S3DoubleOptions;
  readonly #server: Server;

  constructor(options: S3DoubleOptions = {}) {
    this.#options = options;
    this.bucket = options.bucket ?? 'kong-fallback';
    const { tls } = options;
    this.#server =
      tls === undefined ? createServer() : createTlsServer({ cert: tls.certificate, key: tls.key });
    this.#server.on('request', (request, response) => {
      this.#serve(request, response).catch((error: unknown) => response.destroy(error as Error));
    });
  }

  async start(): Promise<this> {
    this.#server.listen(0, '127.0.0.1');
    await once(this.#server, 'listening');
    return this;
  }

  get port(): number {
    return (this.#server.address() as AddressInfo).port;
  }

  get endpoint(): string {
    return `${this.#options.tls === undefined ? 'http' : 'https'}://127.0.0.1:${this.port}`;
  }

  /** Requests of one operation, probes and all. */
  count(operation: S3Operation): number {
    return this.requests.filter((request) => request.operation === operation).length;
  }

  connections(): Promise<number> {
    return new Promise((resolve, reject) =>
      this.#server.getConnections((error, count) => (error ? reject(error) : resolve(count))),
    );
  }

  async close(): Promise<void> {
    this.#server.closeAllConnections();
    this.#server.close();
    await once(this.#server, 'close');
  }

  async #serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const url = new URL(request.url ?? '/', 'http://double');
    const [bucket, ...rest] = this.#place(request, url);
    const key = rest.map(decodeURIComponent).join('/');
    const accessKeyId = /Credential=([^/]+)\//.exec(request.headers.authorization ?? '')?.[1] ?? '';
    const operation = operationOf(request.method ?? '', key, url);
    const logged: S3Request = { operation, key, accessKeyId, headers: request.headers, status: 0 };
    this.requests.push(logged);
    response.setHeader('date', new Date(this.#now()).toUTCString());
    response.setHeader('x-amz-request-id', String(this.requests.length));
    response.on('finish', () => {
      logged.status = response.statusCode;
    });
    const body = await readAll(request);

    const refusal = this.#refusal(logged, bucket);
    if (refusal !== undefined) {
      fail(response, ...refusal);
      return;
    }
    const fault = this.#fault(logged);
    if (fault?.when === 'after-effect' && operation === 'put') this.#put(key, body, request);
    if (fault !== undefined && !('bodyBytes' in fault.act)) this.#strike(fault.act, request, response);
    else if (operation === 'put') this.#put(key, body, request, response);
    else if (operation === 'get') this.#get(key, request, response, fault?.act);
    else if (operation === 'list') this.#list(url, response);
    else if (operation === 'delete') this.#delete(key, response);
    else fail(response, 501, 'NotImplemented');
  }

  /** The bucket, then the parts of the key. */
  #place(request: IncomingMessage, url: URL): [string, ...string[]] {
    const { virtualHostsOf } = this.#options;
    const [, first = '', ...rest] = url.pathname.split('/');
    if (virtualHostsOf === undefined) return [first, ...rest];
    const host = (request.headers.host ?? '').replace(/:\d+$/, '');
    const bucket = host.endsWith(`.${virtualHostsOf}`) ? host.slice(0, -virtualHostsOf.length - 1) : '';
    return [bucket, ...(first === '' ? [] : [first, ...rest])];
  }

  #refusal(
    { accessKeyId, headers, key, operation }: S3Request,
    bucket: string,
  ): [number, string] | undefined {
    if (accessKeyId === '') return [403, 'AccessDenied'];
    const { writers } = this.#options;
    if (writers === undefined && ![WRITER.accessKeyId, READER.accessKeyId].includes(accessKeyId)) {
      return [403, 'InvalidAccessKeyId'];
    }
    if (writers?.has(accessKeyId) === false) return [403, 'ExpiredToken'];
    const sentAt = Date.parse(
      String(headers['x-amz-date']).replace(
        /^(\d{4})(\d\d)(\d\d)T(\d\d)(\d\d)(\d\d)Z$/,
        '$1-$2-$3T$4:$5:$6Z',
      ),
    );
    if (Math.abs(sentAt - this.#now()) > MAX_SKEW_MS) return [403, 'RequestTimeTooSkewed'];
    if (bucket !== this.bucket) return [404, 'NoSuchBucket'];
    if (accessKeyId === READER.accessKeyId && (operation !== 'get' || !this.objects.has(key))) {
      return [403, 'AccessDenied'];
    }
    return undefined;
  }

  #fault({ key, operation }: S3Request): S3Fault | undefined {
    for (const fault of this.faults) {
      if (fault.on !== operation || fault.key?.test(key) === false || fault.times === 0) continue;
      if (fault.after !== undefined && fault.after > 0) {
        fault.after--;
        continue;
      }
      if (fault.times !== undefined) fault.times--;
      return fault;
    }
    return undefined;
  }

  #strike(act: S3FaultAct, request: IncomingMessage, response: ServerResponse): void {
    if ('status' in act) fail(response, act.status, act.code, act.headers, act.details);
    else if ('reset' in act) request.socket.resetAndDestroy();
    else if ('xml200' in act) response.writeHead(200).end(errorXml(act.xml200));
    else if ('html200' in act) response.writeHead(200).end('<html><body>It works!</body></html>');
  }

  #delete(key: string, response: ServerResponse): void {
    this.objects.delete(key);
    response.writeHead(204).end();
  }

  /** @param response left out when the answer gets lost */
  #put(key: string, body: Buffer, request: IncomingMessage, response?: ServerResponse): void {
    const broken = this.#brokenCondition(this.objects.get(key)?.etag, request);
    if (broken !== undefined) {
      fail(response, ...broken);
      return;
    }
    const former = this.objects.get(key)?.modifiedAt.getTime() ?? Number.NEGATIVE_INFINITY;
    if (this.#now() - former < (this.#options.writeIntervalMs ?? 0)) {
      fail(response, 429, 'TooManyRequests');
      return;
    }
    const etag = `"${createHash('md5').update(body).digest('hex')}"`;
    this.objects.set(key, { bytes: body, etag, modifiedAt: new Date(this.#now()) });
    response?.writeHead(200, { etag }).end();
  }

  #brokenCondition(current: string | undefined, request: IncomingMessage): [number, string] | undefined {
    const { 'if-match': ifMatch, 'if-none-match': ifNoneMatch } = request.headers;
    if (this.#options.ignoreConditions === true) return undefined;
    if (ifMatch !== undefined && current === undefined) return [404, 'NoSuchKey'];
    const absent = (current === undefined) !== (this.#options.invertConditions === true);
    const kept = (ifNoneMatch !== '*' || absent) && (ifMatch ?? current) === current;
    return kept ? undefined : [this.#options.brokenConditionStatus ?? 412, 'PreconditionFailed'];
  }

  #get(key: string, request: IncomingMessage, response: ServerResponse, act: S3FaultAct | undefined): void {
    const held = this.objects.get(key);
    if (held === undefined) {
      fail(response, 404, 'NoSuchKey');
      return;
    }
    const headers = { etag: held.etag, 'last-modified': held.modifiedAt.toUTCString() };
    if (request.headers['if-none-match'] === held.etag) {
      response.writeHead(304, headers).end();
      return;
    }
    const cut = act !== undefined && 'bodyBytes' in act ? act : undefined;
    const length = cut?.then === 'end' ? Math.min(cut.bodyBytes, held.bytes.length) : held.bytes.length;
    response.writeHead(200, { ...headers, 'content-length': length });
    if (cut === undefined || cut.then === 'end') response.end(held.bytes.subarray(0, length));
    else {
      response.write(held.bytes.subarray(0, cut.bodyBytes));
      if (cut.then === 'cut') setImmediate(() => request.socket.destroy());
    }
  }

  #list(url: URL, response: ServerResponse): void {
    const prefix = url.searchParams.get('prefix') ?? '';
    const from = url.searchParams.get('continuation-token') ?? '';
    const pageSize = this.#options.pageSize ?? 1000;
    const keys = [...this.objects.keys()].filter((key) => key.startsWith(prefix) && key > from).sort();
    const page = keys.slice(0, pageSize).map((key) => {
      const held = this.objects.get(key);
      return { key, size: held?.bytes.length ?? 0, etag: held?.etag ?? '', modifiedAt: held?.modifiedAt };
    });
    const next = keys.length > pageSize ? page.at(-1)?.key : undefined;
    response
      .writeHead(200, { 'content-type': 'application/xml' })
      .end(listXml(this.bucket, prefix, page, next));
  }

  #now(): number {
    return (this.#options.now ?? Date.now)() + (this.#options.clockOffsetMs ?? 0);
  }
}

function operationOf(method: string, key: string, url: URL): S3Operation {
  if (method === 'GET' && key === '' && url.searchParams.get('list-type') === '2') return 'list';
  if (key === '') return 'other';
  if (method === 'GET') return 'get';
  if (method === 'PUT') return 'put';
  return method === 'DELETE' ? 'delete' : 'other';
}

function fail(
  response: ServerResponse | undefined,
  status: number,
  code: string,
  headers: Record<string, string> = {},
  details = '',
): void {
  response?.writeHead(status, { 'content-type': 'application/xml', ...headers }).end(errorXml(code, details));
}

async function readAll(request: IncomingMessage): Promise<Buffer> {
  const parts: Buffer[] = [];
  for await (const part of request) parts.push(part as Buffer);
  return Buffer.concat(parts);
}
