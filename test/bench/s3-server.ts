import { S3Double, WRITER } from '../s3/double.ts';
import { findVersitygw, type S3Credentials, Versitygw } from '../s3/versitygw.ts';

export interface S3Server {
  readonly endpoint: string;
  readonly bucket: string;
  readonly credentials: S3Credentials;
  /** For the table. */
  readonly label: string;
  /** True for one that the AWS command line can talk to. */
  readonly isReal: boolean;
  close(): Promise<void>;
}

/** A real server where one is installed, else a double in this process; the costs of either are not counted. */
export async function startS3Server(): Promise<S3Server> {
  const binary = findVersitygw();
  if (binary === undefined) {
    const s3 = await new S3Double().start();
    const { bucket, endpoint } = s3;
    return { endpoint, bucket, credentials: WRITER, label: 'double', isReal: false, close: () => s3.close() };
  }
  const s3 = await Versitygw.start(binary);
  const bucket = await s3.createBucket();
  const { endpoint, root: credentials } = s3;
  return { endpoint, bucket, credentials, label: 'versitygw', isReal: true, close: () => s3.stop() };
}
