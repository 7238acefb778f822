import { compare } from '../comparison.ts';
import { type Fleet, NODE } from '../fleet.ts';
import { type Program, quoted, succeed } from '../measure.ts';
import { type Result, ratioResult } from '../result.ts';
import { type S3Server, startS3Server } from '../s3-server.ts';

const TARGET_AT = 1000;
const TARGET_BARE_NODE = 4;
const TARGET_AWS = 0.25;

/** `bootstrap --once` from S3 over loopback: a whole process, against a bare node and `aws s3 cp` of one object. */
export async function bootstrapS3(fleet: Fleet, rounds: number): Promise<Result[]> {
  const s3 = await startS3Server();
  try {
    const { bucket, credentials, endpoint, label } = s3;
    await fleet.publish({ storages: [{ use: 's3', bucket, endpoint, ...credentials }] });
    const ours = fleet.cli('bootstrap', 'bootstrap --once');
    const reset = () => fleet.emptyNode();
    const target = (value: number) => (fleet.entities === TARGET_AT ? value : null);
    const name = `bootstrap from S3 (${label})`;
    const bare = await compare({ ours, peer: fleet.program('node', `${NODE} -e 0`), reset }, rounds);
    await fleet.mustHaveApplied();
    const results = [ratioResult(name, fleet.entities, bare, 'node -e 0', target(TARGET_BARE_NODE))];
    const copy = s3.isReal ? await awsCopy(fleet, s3) : undefined;
    if (copy !== undefined) {
      const aws = await compare({ ours, peer: copy, reset }, rounds);
      results.push(ratioResult(name, fleet.entities, aws, 'aws s3 cp of the snapshot', target(TARGET_AWS)));
    }
    return results;
  } finally {
    await s3.close();
    fleet.site.configure({});
  }
}

/** Undefined where the AWS command line is not installed. */
async function awsCopy(
  fleet: Fleet,
  { bucket, credentials, endpoint }: S3Server,
): Promise<Program | undefined> {
  const env = {
    AWS_ACCESS_KEY_ID: credentials.accessKeyId,
    AWS_SECRET_ACCESS_KEY: credentials.secretAccessKey,
    AWS_DEFAULT_REGION: 'us-east-1',
  };
  const aws = (line: string): Program => ({
    ...fleet.program('aws', `aws --endpoint-url ${endpoint} s3 ${line}`),
    env,
  });
  const listed = await succeed(aws(`ls --recursive ${quoted(`s3://${bucket}/`)}`)).catch(() => '');
  const key = /\S+\.kfs$/m.exec(listed)?.[0];
  if (key === undefined) return undefined;
  return aws(`cp ${quoted(`s3://${bucket}/${key}`)} ${quoted(`${fleet.document}.aws`)}`);
}
