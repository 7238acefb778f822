import { generateKeyPairSync, randomBytes } from 'node:crypto';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type CertificatePair, clusterCertificate } from '../stand-in/certificates.ts';
import { type CliOptions, type CliResult, runCli } from './cli.ts';

export interface SiteOptions {
  readonly storages?: readonly object[];
  readonly encryption?: object | readonly object[];
  /** Default: signed. */
  readonly signed?: boolean;
  readonly gatewayVersion?: string;
  readonly settings?: Readonly<Record<string, unknown>>;
  readonly bootstrap?: Readonly<Record<string, unknown>>;
}

/** A folder with keys, certificates and a settings file, as an operator would have it. */
export class Site {
  readonly directory: string;
  readonly certificate: CertificatePair;
  readonly encryptionKey: string;
  readonly target: string;
  readonly store: string;
  readonly cache: string;
  readonly #options: SiteOptions;
  #address = '127.0.0.1:1';

  constructor(options: SiteOptions = {}) {
    this.#options = options;
    this.directory = mkdtempSync(join(tmpdir(), 'kongfallback-e2e-'));
    this.certificate = clusterCertificate();
    this.encryptionKey = randomBytes(32).toString('base64');
    this.target = join(this.directory, 'node', 'kong.json');
    this.store = join(this.directory, 'store');
    this.cache = join(this.directory, 'cache');
    mkdirSync(join(this.directory, 'node'));
    mkdirSync(this.store);
    const { publicKey, privateKey } = generateKeyPairSync('ed25519', {
      publicKeyEncoding: { type: 'spki', format: 'pem' },
      privateKeyEncoding: { type: 'pkcs8', format: 'pem' },
    });
    this.write('cluster.crt', this.certificate.certificate);
    this.write('cluster.key', this.certificate.key);
    this.write('head.pub', publicKey);
    this.write('head.key', privateKey);
    this.write('encryption.key', `${this.encryptionKey}\n`);
    this.configure({});
  }

  /** Writes the settings; what is given here goes over everything else. */
  configure(over: Readonly<Record<string, unknown>>): void {
    const {
      storages,
      encryption,
      signed = true,
      gatewayVersion = '3.9.3',
      settings,
      bootstrap,
    } = this.#options;
    const all = {
      cluster: 'e2e',
      controlPlane: { address: this.#address, certificate: 'cluster.crt', key: 'cluster.key' },
      gatewayVersions: [gatewayVersion],
      storages: storages ?? [{ use: 'file', path: 'store' }],
      encryption: encryption ?? { use: 'aes-gcm', keys: [`\${file:encryption.key}`] },
      ...(signed && {
        signing: { publicKeys: [`\${file:head.pub}`], privateKey: `\${file:head.key}` },
      }),
      bootstrap: {
        cacheDirectory: 'cache',
        probeSeconds: 2,
        waitSeconds: 5,
        target: { use: 'file', path: 'node/kong.json' },
        ...bootstrap,
      },
      ...settings,
      ...over,
    };
    // JSON is YAML.
    this.write('.kongfallbackrc', JSON.stringify(all, null, 2));
  }

  /** The control plane's port; 1 is closed. */
  pointAt(port: number): void {
    this.#address = `127.0.0.1:${port}`;
    this.configure({});
  }

  write(name: string, content: string | Uint8Array): void {
    writeFileSync(join(this.directory, name), content, { mode: 0o600 });
  }

  run(args: readonly string[], options: Partial<CliOptions> = {}): Promise<CliResult> {
    return runCli(args, { cwd: this.directory, ...options });
  }

  remove(): void {
    rmSync(this.directory, { recursive: true, force: true });
  }
}
