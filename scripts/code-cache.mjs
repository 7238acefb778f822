// V8's code cache of the bundle, for the Node that builds (bin/load-bundle.cjs reads it). V8 compiles a function when
// it is first called, so the commands that must start fast are run once and what they compiled is written down.
import { generateKeyPairSync, randomBytes, webcrypto } from 'node:crypto';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import module, { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

const { bundleIn } = createRequire(import.meta.url)('../bin/load-bundle.cjs');

/** Leaves the bundle as it is when a command fails: it works without, and takes half as long again to start. */
export async function writeCodeCache(folder) {
  if (module.enableCompileCache !== undefined) return;
  const site = mkdtempSync(join(tmpdir(), 'kongfallback-build-'));
  try {
    const { load, scripts } = bundleIn(folder, { useCache: false });
    await runCommands(load('cli.cjs').main, site);
    for (const { file, bytes } of scripts.map((script) => script.cache())) writeFileSync(file, bytes);
  } catch (error) {
    console.warn(`build: no code cache was made, so that commands start slower: ${error.message}`);
  } finally {
    rmSync(site, { recursive: true, force: true });
  }
}

/** Export from a file to a directory, bootstrap from there, and bootstrap from S3 with the control plane away. */
async function runCommands(main, site) {
  const server = createServer((request, response) => {
    // One GET of S3 is one file of the store: /<bucket>/<key>.
    const path = new URL(request.url, 'http://localhost').pathname.replace(/^\/bucket\//, '');
    response.setHeader('etag', '"1"').end(readFileSync(join(site, 'store', path)));
  });
  await new Promise((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address();
  const file = { use: 'file', path: 'store' };
  const s3 = { use: 's3', bucket: 'bucket', endpoint: `http://127.0.0.1:${port}`, ...CREDENTIALS };
  try {
    await writeSite(site);
    for (const [command, storage] of [
      ['export', file],
      ['bootstrap', file],
      ['bootstrap', s3],
    ]) {
      writeFileSync(join(site, '.kongfallbackrc'), JSON.stringify(settings(storage)));
      rmSync(join(site, 'cache'), { recursive: true, force: true });
      let said = '';
      const stderr = (text) => {
        said += text;
      };
      const io = { cwd: site, env: {}, terminal: false, stdout: () => {}, stderr };
      const code = await main([command, '--once'], io);
      if (code !== 0) throw new Error(`${command} ended with exit code ${code}: ${said}`);
    }
  } finally {
    server.closeAllConnections();
    server.close();
  }
}

const CREDENTIALS = { accessKeyId: 'build', secretAccessKey: 'build', region: 'us-east-1' };

const settings = (storage) => ({
  cluster: 'build',
  log: { level: 'error' },
  gatewayVersions: ['3.9.1'],
  // Nothing listens there.
  controlPlane: { address: '127.0.0.1:1', certificate: 'cluster.crt', key: 'cluster.key' },
  source: { use: 'file', path: 'document.json' },
  storages: [storage],
  encryption: { use: 'aes-gcm', keys: [`\${file:encryption.key}`] },
  signing: { publicKeys: [`\${file:head.pub}`], privateKey: `\${file:head.key}` },
  bootstrap: { cacheDirectory: 'cache', probeSeconds: 2, target: { use: 'file', path: 'kong.json' } },
});

async function writeSite(site) {
  await import('reflect-metadata');
  const { X509CertificateGenerator } = await import('@peculiar/x509');
  const pem = { publicKey: { type: 'spki', format: 'pem' }, privateKey: { type: 'pkcs8', format: 'pem' } };
  const write = (name, content) => writeFileSync(join(site, name), content, { mode: 0o600 });
  const algorithm = { name: 'ECDSA', namedCurve: 'P-256', hash: 'SHA-256' };
  const keys = await webcrypto.subtle.generateKey(algorithm, true, ['sign', 'verify']);
  const certificate = await X509CertificateGenerator.createSelfSigned(
    { name: 'CN=build', keys, signingAlgorithm: algorithm },
    webcrypto,
  );
  const key = Buffer.from(await webcrypto.subtle.exportKey('pkcs8', keys.privateKey)).toString('base64');
  const head = generateKeyPairSync('ed25519', {
    publicKeyEncoding: pem.publicKey,
    privateKeyEncoding: pem.privateKey,
  });
  write('cluster.crt', certificate.toString('pem'));
  write('cluster.key', `-----BEGIN PRIVATE KEY-----\n${key}\n-----END PRIVATE KEY-----\n`);
  write('head.pub', head.publicKey);
  write('head.key', head.privateKey);
  write('encryption.key', randomBytes(32).toString('base64'));
  write(
    'document.json',
    '{"_format_version":"3.0","_transform":false,"services":[{"id":"a0000000-0000-4000-8000-000000000001","name":"a","host":"a.internal","protocol":"http","port":80}]}',
  );
  mkdirSync(join(site, 'store'));
}
