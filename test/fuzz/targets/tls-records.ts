import { isDeepStrictEqual } from 'node:util';
import { FrameWatch } from '../../../src/relay/tunnel/frame-watch.ts';
import { TlsRecords } from '../../../src/relay/tunnel/tls-records.ts';
import type { FuzzTarget } from '../fuzz-target.ts';

const record = (type: number, length: number) =>
  Buffer.concat([Buffer.from([type, 3, 3, length >> 8, length & 255]), Buffer.alloc(length, type)]);

function recordsIn(bytes: Buffer, size: number): unknown {
  const [reader, seen] = [new TlsRecords(), [] as number[]];
  let isTls = true;
  for (let at = 0; at < bytes.length; at += size) {
    isTls = reader.read(bytes.subarray(at, at + size), (type, length) => seen.push(type, length));
  }
  return { isTls, seen };
}

/** Both directions of a tunnelled connection: pieces make no difference, and nothing is taken for its own size. */
export const tlsRecords: FuzzTarget = {
  name: 'tls-records',
  dictionary: ['\x16\x03\x01', '\x17\x03\x03', '\x14\x03\x03\x00\x01\x01', '\x17\x03\x03\x00\x35'],
  corpus: () => [
    Buffer.concat([
      record(22, 512),
      record(20, 1),
      record(23, 53),
      record(23, 400),
      record(23, 12_000),
      record(21, 2),
    ]),
    Buffer.concat([record(22, 120), record(20, 1), record(23, 1200), record(23, 200), record(23, 16_384)]),
  ],
  run(bytes) {
    if (!isDeepStrictEqual(recordsIn(bytes, 7), recordsIn(bytes, bytes.length)))
      throw new Error('pieces matter');
    const watch = new FrameWatch();
    for (let at = 0, up = true; at < bytes.length; at += 997, up = !up) {
      const piece = bytes.subarray(at, at + 997);
      if (up) watch.dataPlaneSent(piece);
      else watch.controlPlaneSent(piece);
    }
  },
};
