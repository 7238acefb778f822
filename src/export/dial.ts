import { classify, type FallbackError } from '../errors/index.ts';
import type { Source } from '../plugin/index.ts';
import { Link } from './link.ts';
import type { LinePipeline } from './pipeline.ts';

export type Dialled =
  | { readonly type: 'linked'; readonly link: Link }
  | { readonly type: 'unlinked'; readonly error: FallbackError; readonly at: 'stores' | 'source' };

/** The heads first, then a session: what it sends is evidence about them. A failure is an answer, with its place. */
export async function dial(line: LinePipeline, source: Source, signal: AbortSignal): Promise<Dialled> {
  let at: 'stores' | 'source' = 'stores';
  try {
    const heads = await line.readHeads(signal);
    at = 'source';
    return { type: 'linked', link: await Link.open(heads, source, line.settings.gatewayVersion, signal) };
  } catch (thrown) {
    return { type: 'unlinked', error: classify(thrown, at), at };
  }
}
