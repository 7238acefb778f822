import { S3Double, WRITER } from '../../s3/double.ts';
import { compare } from '../comparison.ts';
import { type Fleet, NODE } from '../fleet.ts';
import { quoted, succeed } from '../measure.ts';
import { type Result, ratioResult } from '../result.ts';

const TARGET_AT = 1000;
const TARGET_BARE_NODE = 4;
const TARGET_AWS = 0.25;

/** `bootstrap --once` from S3 over loopback: a whole process, against a bare node and `aws s3 cp` of one object. */
export async function bootstrapS3(fleet: Fleet, rounds: number): Promise<Result[]> {
  const s3 = await new S3Double().start();
  try {
    const storage = { use: 's3', bucket: s3.bucket, endpoint: s3.endpoint, ...WRITER };
    await fleet.publish({ storages: [storage] });
    const ours = fleet.cli('bootstrap', 'bootstrap --once');
    const reset = () => fleet.emptyNode();
    const target = (value: number) => (fleet.entities === TARGET_AT ? value : null);
    const bare = await compare({ ours, peer: fleet.program('node', `${NODE} -e 0`), reset }, rounds);
    await fleet.mustHaveApplied();
    const results = [
      ratioResult('bootstrap from S3', fleet.entities, bare, 'node -e 0', target(TARGET_BARE_NODE)),
    ];
    if (await isInstalled(fleet)) {
      const key = [...s3.objects.keys()].find((name) => name.endsWith('.kfs')) ?? '';
      const line = `aws --endpoint-url ${s3.endpoint} s3 cp ${quoted(`s3://${s3.bucket}/${key}`)} ${quoted(`${fleet.document}.aws`)}`;
      const env = {
        AWS_ACCESS_KEY_ID: WRITER.accessKeyId,
        AWS_SECRET_ACCESS_KEY: WRITER.secretAccessKey,
        AWS_DEFAULT_REGION: 'us-east-1',
      };
      const aws = await compare({ ours, peer: { ...fleet.program('aws', line), env }, reset }, rounds);
      results.push(ratioResult('bootstrap from S3', fleet.entities, aws, 'aws s3 cp', target(TARGET_AWS)));
    }
    return results;
  } finally {
    await s3.close();
    fleet.site.configure({});
  }
}

function isInstalled(fleet: Fleet): Promise<boolean> {
  return succeed(fleet.program('aws', 'aws --version')).then(
    () => true,
    () => false,
  );
}
