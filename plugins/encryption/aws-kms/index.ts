import { definePlugin } from 'kongfallback/plugin';
import { connect } from './connection.ts';
import { AwsKmsKeyWrap } from './key-wrap.ts';
import { settings } from './settings.ts';

/** A symmetric key of AWS KMS wraps the data key of each snapshot; one request per sealing and per opening. */
export default definePlugin({
  kind: 'encryption',
  name: 'aws-kms',
  settings,
  async create(checked, context) {
    return new AwsKmsKeyWrap(checked, await connect(checked, context), context);
  },
});
