// Whoever gives the SDK credentials, on loopback: a container's agent (ECS, Pod Identity), STS, instance metadata.
import { once } from 'node:events';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';

export interface GivenCredentials {
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
  readonly sessionToken: string;
  readonly expiration: Date;
}

export interface CredentialsRequest {
  readonly path: string;
  readonly body: string;
  readonly headers: IncomingMessage['headers'];
}

export class CredentialsDouble {
  readonly requests: CredentialsRequest[] = [];
  gives: GivenCredentials;
  /** `hang`: accepted and never answered. A status: refused with it. */
  fault: 'hang' | number | undefined;
  readonly #server: Server;

  constructor(gives: GivenCredentials) {
    this.gives = gives;
    this.#server = createServer((request, response) => {
      this.#serve(request, response).catch((error: unknown) => response.destroy(error as Error));
    });
  }

  async start(): Promise<this> {
    this.#server.listen(0, '127.0.0.1');
    await once(this.#server, 'listening');
    return this;
  }

  get url(): string {
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }

  async close(): Promise<void> {
    this.#server.closeAllConnections();
    this.#server.close();
    await once(this.#server, 'close');
  }

  async #serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
    let body = '';
    for await (const part of request) body += String(part);
    const path = new URL(request.url ?? '/', 'http://double').pathname;
    this.requests.push({ path, body, headers: request.headers });
    if (this.fault === 'hang') return;
    if (this.fault !== undefined) {
      response
        .writeHead(this.fault, { 'content-type': 'text/xml' })
        .end('<ErrorResponse><Error><Code>AccessDenied</Code><Message>no</Message></Error></ErrorResponse>');
    } else if (request.method === 'POST') response.end(this.#sts());
    else if (request.method === 'PUT') response.end('metadata-token');
    else if (path === '/latest/meta-data/iam/security-credentials/') response.end('the-role');
    else response.setHeader('content-type', 'application/json').end(this.#json());
  }

  #json(): string {
    const { accessKeyId, expiration, secretAccessKey, sessionToken } = this.gives;
    return JSON.stringify({
      Code: 'Success',
      AccessKeyId: accessKeyId,
      SecretAccessKey: secretAccessKey,
      Token: sessionToken,
      Expiration: expiration.toISOString().replace(/\.\d+Z$/, 'Z'),
    });
  }

  #sts(): string {
    const { accessKeyId, expiration, secretAccessKey, sessionToken } = this.gives;
    return `<AssumeRoleWithWebIdentityResponse xmlns="https://sts.amazonaws.com/doc/2011-06-15/">
      <AssumeRoleWithWebIdentityResult>
        <AssumedRoleUser><Arn>arn:aws:sts::123456789012:assumed-role/the-role/a</Arn><AssumedRoleId>AROA:a</AssumedRoleId></AssumedRoleUser>
        <Credentials>
          <AccessKeyId>${accessKeyId}</AccessKeyId><SecretAccessKey>${secretAccessKey}</SecretAccessKey>
          <SessionToken>${sessionToken}</SessionToken><Expiration>${expiration.toISOString()}</Expiration>
        </Credentials>
      </AssumeRoleWithWebIdentityResult>
    </AssumeRoleWithWebIdentityResponse>`;
  }
}
