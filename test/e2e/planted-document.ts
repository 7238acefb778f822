import { recordedDocument } from '../stand-in/frames.ts';
import type { Planted } from './planted.ts';

type Row = Record<string, unknown>;

/** The recorded configuration with a planted secret wherever one stands in it. @param n makes it another one */
export function plantedDocument(planted: Planted, n: number): Buffer {
  const table = JSON.parse(recordedDocument('mixed').toString()) as Record<string, Row[]>;
  const plant = (collection: string, field: string) => {
    for (const [index, row] of (table[collection] ?? []).entries()) {
      row[field] = planted.word(`document ${n}: ${collection}[${index}].${field}`);
    }
  };
  plant('keyauth_credentials', 'key');
  plant('basicauth_credentials', 'password');
  plant('hmacauth_credentials', 'secret');
  plant('oauth2_credentials', 'client_secret');
  for (const row of table['certificates'] ?? [])
    planted.addPem(`document ${n}: private key`, String(row['key']));
  for (const row of table['plugins'] ?? []) {
    const config = row['config'] as Row;
    if (row['name'] === 'http-log')
      config['headers'] = { authorization: planted.word(`document ${n}: http-log`) };
    if ('redis' in config)
      Object.assign(config['redis'] ?? {}, { password: planted.word(`document ${n}: redis`) });
  }
  return Buffer.from(JSON.stringify({ ...table, tags: [`change-${n}`] }));
}
