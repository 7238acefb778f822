import { readFile } from 'node:fs/promises';
import { startStandInControlPlane } from '../../stand-in/control-plane.ts';
import { compare } from '../comparison.ts';
import { type Fleet, NODE } from '../fleet.ts';
import { quoted } from '../measure.ts';
import { type Result, ratioResult } from '../result.ts';

const PARSE = "JSON.parse(require('node:fs').readFileSync(process.argv[1], 'utf8'))";
/** What a data plane's socket takes by default (cluster_max_payload): larger ones come from a file here. */
const LARGEST_FRAME_BYTES = 16_777_216;
const TARGET_AT = 100_000;
const TARGET = 2.8;

/** `export --once` into an empty store, against a process that only reads and parses the same document. */
export async function exportFull(fleet: Fleet, rounds: number): Promise<Result> {
  const frame = await readFile(fleet.frame);
  const overSocket = frame.length <= LARGEST_FRAME_BYTES;
  const controlPlane = await startStandInControlPlane({ certificate: fleet.site.certificate, frames: frame });
  try {
    fleet.site.pointAt(controlPlane.port);
    if (!overSocket) fleet.site.configure({ source: { use: 'file', path: 'document.json' } });
    const comparison = await compare(
      {
        ours: fleet.cli('export', 'export --once'),
        peer: fleet.program('parse', `${NODE} -e ${quoted(PARSE)} ${quoted(fleet.document)}`),
        reset: () => fleet.emptyStore(),
      },
      rounds,
    );
    const from = overSocket ? 'from a control plane over mutual TLS' : 'from a file';
    const target = fleet.entities === TARGET_AT ? TARGET : null;
    return ratioResult('export, full', fleet.entities, comparison, `read + JSON.parse; ${from}`, target);
  } finally {
    await controlPlane.close();
    fleet.site.pointAt(1);
  }
}
