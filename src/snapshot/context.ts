import type { Line } from './head.ts';
import { checkLine } from './object-keys.ts';

/** FORMAT.md §5: what a snapshot is bound to, so that no other line's bytes open in its place. */
export function snapshotContext(bound: Line & { readonly documentSha256: string }): Uint8Array<ArrayBuffer> {
  checkLine(bound);
  const lines = ['kongfallback-snapshot/1', bound.cluster, bound.gatewayVersion, bound.documentSha256];
  return new Uint8Array(Buffer.from(`${lines.join('\n')}\n`, 'utf8'));
}
