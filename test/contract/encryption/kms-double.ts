// Stands in for AWS KMS, held to its documentation (API_Encrypt, API_Decrypt, concepts of EncryptionContext and of
// multi-Region keys): JSON 1.1 over HTTP; answers name the key by its ARN whatever the request called it; the
// ciphertext says which key made it; a context must be given again exactly; a KeyId that is not the ciphertext's key
// is IncorrectKeyException, anything altered InvalidCiphertextException; limits of 4096 and 6144 bytes.
import { createCipheriv, createDecipheriv, createHash, randomBytes, randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';

interface Key {
  readonly arn: string;
  readonly id: string;
  /** Shared by the replicas of a multi-Region key. */
  readonly material: Buffer;
  state: 'Enabled' | 'Disabled' | 'PendingDeletion';
}

class KmsError extends Error {
  readonly type: string;
  readonly status: number;

  constructor(type: string, message: string, status = 400) {
    super(message);
    this.type = type;
    this.status = status;
  }
}

type Body = Readonly<Record<string, unknown>>;

export interface KmsRequest {
  readonly target: string;
  readonly body: Body;
  readonly authorization: string;
}

export class KmsDouble {
  readonly requests: KmsRequest[] = [];
  endpoint = '';
  /** Answers in place of KMS; undefined lets KMS answer. */
  fault: ((request: KmsRequest, response: ServerResponse) => boolean) | undefined;
  readonly #server: Server;
  readonly #keys: Key[] = [];
  readonly #aliases = new Map<string, string>();

  private constructor() {
    this.#server = createServer((request, response) => void this.#answer(request, response));
  }

  static async start(): Promise<KmsDouble> {
    const double = new KmsDouble();
    double.#server.listen(0, '127.0.0.1');
    await once(double.#server, 'listening');
    const { port } = double.#server.address() as { port: number };
    double.endpoint = `http://127.0.0.1:${port}`;
    return double;
  }

  createKey({ region = 'eu-west-1', id = randomUUID() as string, material = randomBytes(32) } = {}): Key {
    const arn = `arn:aws:kms:${region}:111122223333:key/${id}`;
    const key: Key = { arn, id, material, state: 'Enabled' };
    this.#keys.push(key);
    return key;
  }

  alias(name: string, { arn }: { readonly arn: string }): void {
    this.#aliases.set(name, arn);
  }

  async stop(): Promise<void> {
    this.#server.closeAllConnections();
    this.#server.close();
    await once(this.#server, 'close');
  }

  async #answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const pieces: Buffer[] = [];
    for await (const piece of request as AsyncIterable<Buffer>) pieces.push(piece);
    const asked: KmsRequest = {
      target: String(request.headers['x-amz-target']),
      body: JSON.parse(Buffer.concat(pieces).toString()) as Body,
      authorization: String(request.headers.authorization),
    };
    this.requests.push(asked);
    if (this.fault?.(asked, response) === true) return;
    try {
      this.#send(response, 200, this.#serve(asked));
    } catch (error) {
      if (!(error instanceof KmsError)) throw error;
      this.#send(response, error.status, { __type: error.type, message: error.message });
    }
  }

  #send(response: ServerResponse, status: number, body: object): void {
    response.writeHead(status, { 'content-type': 'application/x-amz-json-1.1' }).end(JSON.stringify(body));
  }

  #serve({ target, body, authorization }: KmsRequest): object {
    if (!authorization.startsWith('AWS4-HMAC-SHA256 ')) {
      throw new KmsError('MissingAuthenticationTokenException', 'Missing Authentication Token', 403);
    }
    if (target === 'TrentService.Encrypt') return this.#encrypt(body);
    if (target === 'TrentService.Decrypt') return this.#decrypt(body);
    throw new KmsError('UnknownOperationException', target);
  }

  #encrypt(body: Body): object {
    const key = this.#usable(body['KeyId']);
    const plaintext = bytes(body['Plaintext'], 4096);
    const nonce = randomBytes(12);
    const cipher = createCipheriv('aes-256-gcm', key.material, nonce).setAAD(contextBytes(body));
    const sealed = Buffer.concat([cipher.update(plaintext), cipher.final(), cipher.getAuthTag()]);
    const blob = Buffer.concat([marker(key), nonce, sealed]);
    return {
      CiphertextBlob: blob.toString('base64'),
      KeyId: key.arn,
      EncryptionAlgorithm: 'SYMMETRIC_DEFAULT',
    };
  }

  #decrypt(body: Body): object {
    const blob = bytes(body['CiphertextBlob'], 6144);
    const key = this.#usable(body['KeyId']);
    if (!this.#keys.some((one) => marker(one).equals(blob.subarray(0, 16)))) throw invalidCiphertext();
    if (!marker(key).equals(blob.subarray(0, 16))) {
      throw new KmsError(
        'IncorrectKeyException',
        'The key ID in the request does not identify a CMK that can perform this operation.',
      );
    }
    if (blob.length < 44) throw invalidCiphertext();
    const decipher = createDecipheriv('aes-256-gcm', key.material, blob.subarray(16, 28));
    decipher.setAAD(contextBytes(body)).setAuthTag(blob.subarray(-16));
    const plaintext = decipher.update(blob.subarray(28, -16));
    try {
      decipher.final();
    } catch {
      throw invalidCiphertext();
    }
    return {
      Plaintext: plaintext.toString('base64'),
      KeyId: key.arn,
      EncryptionAlgorithm: 'SYMMETRIC_DEFAULT',
    };
  }

  #usable(name: unknown): Key {
    const text = String(name);
    const alias = /(?:^|:)(alias\/.+)$/.exec(text)?.[1];
    const arn = alias === undefined ? text : this.#aliases.get(alias);
    const key = this.#keys.find((one) => one.arn === arn || one.id === arn);
    if (key === undefined) throw new KmsError('NotFoundException', `Key '${text}' does not exist`);
    if (key.state === 'Disabled') throw new KmsError('DisabledException', `${key.arn} is disabled.`);
    if (key.state === 'PendingDeletion') {
      throw new KmsError('KMSInvalidStateException', `${key.arn} is pending deletion.`);
    }
    return key;
  }
}

const invalidCiphertext = () => new KmsError('InvalidCiphertextException', '');

/** The same for the replicas of a multi-Region key. */
const marker = ({ id }: Key): Buffer => createHash('sha256').update(id).digest().subarray(0, 16);

function bytes(value: unknown, most: number): Buffer {
  const decoded = Buffer.from(String(value ?? ''), 'base64');
  if (decoded.length === 0 || decoded.length > most) {
    throw new KmsError('ValidationException', `1 validation error detected: length of ${decoded.length}`);
  }
  return decoded;
}

const contextBytes = ({ EncryptionContext: context = {} }: Body): Buffer =>
  Buffer.from(JSON.stringify(Object.entries(context as object).sort()));
