import { createHash } from 'node:crypto';

/** Namespace of our node ids, made for this purpose once (UUIDv4). */
const NAMESPACE = Buffer.from('5f1c2ad0a6a94c0c9d0b1b0f7f1d3e52', 'hex');

/**
 * A stable node id (UUIDv5), so that the control plane lists one data plane per exporter and line, however often
 * it reconnects: each id stays in its list for 14 days.
 *
 * @param instance tells exporters of one cluster apart, such as the host name
 */
export function nodeIdOf(cluster: string, gatewayVersion: string, instance: string): string {
  const name = JSON.stringify([cluster, gatewayVersion, instance]);
  const bytes = createHash('sha1').update(NAMESPACE).update(name).digest().subarray(0, 16);
  bytes[6] = ((bytes[6] as number) & 0x0f) | 0x50;
  bytes[8] = ((bytes[8] as number) & 0x3f) | 0x80;
  return bytes.toString('hex').replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, '$1-$2-$3-$4-$5');
}
