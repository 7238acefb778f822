// Stands in for Vault and OpenBao, held to their documented HTTP API (secret/transit, auth/kubernetes, auth/token, HTTP
// status codes): POST /v1/<mount>/encrypt/<key> and decrypt/<key> with base64 `plaintext` and `associated_data`, answers
// under `data`, ciphertext `vault:v<version>:<base64>`; login under `auth` with client_token and lease_duration; all
// errors as {"errors": [...]}: 400 for a bad ciphertext and for a key that is not there, 403 for a token that is not
// (any more) good or lacks the policy, 404 for no such mount, 429 with Retry-After for a quota, 503 while sealed.
// Base64 is decoded as Go does it: slack bits are not looked at.
import { createCipheriv, createDecipheriv, randomBytes, randomUUID } from 'node:crypto';
import { once } from 'node:events';
import {
  createServer,
  type IncomingMessage,
  type RequestListener,
  type Server,
  type ServerResponse,
} from 'node:http';
import { createServer as createTlsServer } from 'node:https';

type Body = Readonly<Record<string, unknown>>;

export interface VaultRequest {
  readonly path: string;
  readonly body: Body;
  readonly token: string | undefined;
  readonly namespace: string | undefined;
  readonly isMarked: boolean;
}

class VaultError extends Error {
  readonly status: number;

  constructor(status: number, message: string) {
    super(message);
    this.status = status;
  }
}

export interface VaultDoubleOptions {
  readonly tls?: { readonly cert: string; readonly key: string };
  /** An old server passes over `associated_data` as over every parameter that it does not know. */
  readonly knowsAssociatedData?: boolean;
}

export class VaultDouble {
  readonly requests: VaultRequest[] = [];
  readonly tokens = new Set<string>();
  /** Service account tokens that may log in, each with the role that it is bound to. */
  readonly serviceAccounts = new Map<string, string>();
  leaseSeconds = 3600;
  address = '';
  isSealed = false;
  minDecryptionVersion = 1;
  fault: ((request: VaultRequest, response: ServerResponse) => boolean) | undefined;
  readonly #server: Server;
  readonly #knowsAssociatedData: boolean;
  /** By mount and name: the versions of each key, first first. */
  readonly #keys = new Map<string, Buffer[]>();

  private constructor({ tls, knowsAssociatedData = true }: VaultDoubleOptions) {
    const answer: RequestListener = (request, response) => void this.#answer(request, response);
    this.#server = tls === undefined ? createServer(answer) : createTlsServer(tls, answer);
    this.#knowsAssociatedData = knowsAssociatedData;
  }

  static async start(options: VaultDoubleOptions = {}): Promise<VaultDouble> {
    const double = new VaultDouble(options);
    double.#server.listen(0, '127.0.0.1');
    await once(double.#server, 'listening');
    const { port } = double.#server.address() as { port: number };
    double.address = `${options.tls === undefined ? 'http' : 'https'}://127.0.0.1:${port}`;
    return double;
  }

  createToken(): string {
    const token = `hvs.${randomBytes(12).toString('hex')}`;
    this.tokens.add(token);
    return token;
  }

  createKey(mount: string, name: string): void {
    this.#keys.set(`${mount}/${name}`, [randomBytes(32)]);
  }

  rotate(mount: string, name: string): void {
    this.#keys.get(`${mount}/${name}`)?.push(randomBytes(32));
  }

  async stop(): Promise<void> {
    this.#server.closeAllConnections();
    this.#server.close();
    await once(this.#server, 'close');
  }

  async #answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const pieces: Buffer[] = [];
    for await (const piece of request as AsyncIterable<Buffer>) pieces.push(piece);
    const header = (name: string) => {
      const value = request.headers[name];
      return typeof value === 'string' ? value : undefined;
    };
    const asked: VaultRequest = {
      path: (request.url ?? '').replace(/^\/v1\//, ''),
      body: JSON.parse(Buffer.concat(pieces).toString()) as Body,
      token: header('x-vault-token'),
      namespace: header('x-vault-namespace'),
      isMarked: header('x-vault-request') === 'true',
    };
    this.requests.push(asked);
    if (this.fault?.(asked, response) === true) return;
    try {
      this.#send(response, 200, this.#serve(asked));
    } catch (error) {
      if (!(error instanceof VaultError)) throw error;
      this.#send(response, error.status, { errors: [error.message] });
    }
  }

  #send(response: ServerResponse, status: number, body: object): void {
    const answer = { request_id: randomUUID(), lease_id: '', renewable: false, warnings: null, ...body };
    response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(answer));
  }

  #serve({ path, body, token }: VaultRequest): object {
    if (this.isSealed) throw new VaultError(503, 'Vault is sealed');
    const login = /^auth\/([^/]+)\/login$/.exec(path);
    if (login !== null) return this.#login(login[1] ?? '', body);
    if (token === undefined || !this.tokens.has(token)) throw new VaultError(403, 'permission denied');
    const [, mount, operation, name] = /^(.+)\/(encrypt|decrypt)\/([^/]+)$/.exec(path) ?? [];
    const mounts = [...this.#keys.keys()].map((key) => key.slice(0, key.lastIndexOf('/')));
    if (mount === undefined || !mounts.includes(mount)) {
      throw new VaultError(404, `no handler for route "${path}". route entry not found.`);
    }
    const versions = this.#keys.get(`${mount}/${name}`);
    if (versions === undefined) throw new VaultError(400, 'encryption key not found');
    return operation === 'encrypt' ? this.#encrypt(versions, body) : this.#decrypt(versions, body);
  }

  #login(mount: string, body: Body): object {
    if (mount !== 'kubernetes') throw new VaultError(404, `no handler for route "auth/${mount}/login".`);
    const role = this.serviceAccounts.get(String(body['jwt']));
    if (role === undefined) throw new VaultError(403, 'permission denied');
    if (role !== body['role']) throw new VaultError(400, `invalid role name "${String(body['role'])}"`);
    return { auth: { client_token: this.createToken(), lease_duration: this.leaseSeconds, renewable: true } };
  }

  #encrypt(versions: readonly Buffer[], body: Body): object {
    const key = versions.at(-1) ?? Buffer.alloc(32);
    const nonce = randomBytes(12);
    const cipher = createCipheriv('aes-256-gcm', key, nonce).setAAD(this.#associated(body));
    const plaintext = Buffer.from(String(body['plaintext']), 'base64');
    const sealed = Buffer.concat([nonce, cipher.update(plaintext), cipher.final(), cipher.getAuthTag()]);
    const ciphertext = `vault:v${versions.length}:${sealed.toString('base64')}`;
    return { data: { ciphertext, key_version: versions.length } };
  }

  #decrypt(versions: readonly Buffer[], body: Body): object {
    const [, version, base64] = /^vault:v(\d+):(.*)$/.exec(String(body['ciphertext'])) ?? [];
    if (version === undefined || base64 === undefined)
      throw new VaultError(400, 'invalid ciphertext: no prefix');
    const key = versions[Number(version) - 1];
    if (key === undefined) throw new VaultError(400, 'invalid ciphertext: version is too new');
    if (Number(version) < this.minDecryptionVersion) {
      throw new VaultError(400, 'ciphertext or signature version is disallowed by policy (too old)');
    }
    const bytes = Buffer.from(base64, 'base64');
    if (bytes.length < 28) throw new VaultError(400, 'invalid ciphertext: unable to decrypt');
    const decipher = createDecipheriv('aes-256-gcm', key, bytes.subarray(0, 12));
    decipher.setAAD(this.#associated(body)).setAuthTag(bytes.subarray(-16));
    const plaintext = decipher.update(bytes.subarray(12, -16));
    try {
      decipher.final();
    } catch {
      throw new VaultError(400, 'cipher: message authentication failed');
    }
    return { data: { plaintext: plaintext.toString('base64') } };
  }

  #associated({ associated_data: data }: Body): Buffer {
    return this.#knowsAssociatedData ? Buffer.from(String(data ?? ''), 'base64') : Buffer.alloc(0);
  }
}
