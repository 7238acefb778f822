const KEY_ARN = /^arn:([\w-]+):kms:([\w-]+):(\d{12}):key\/([\w-]{1,64})$/;

/** `arn:aws:kms:eu-west-1:111122223333:key/…`; undefined for everything else, aliases too. */
export function parseKeyArn(text: string) {
  const [, partition, region, account, id] = KEY_ARN.exec(text) ?? [];
  return id === undefined ? undefined : { partition, region, account, id };
}

/**
 * Whether two ARNs name one key. The replicas of a multi-Region key have one id (`mrk-…`) and open each other's: so a
 * fleet in the second region opens with the replica there.
 */
export function isSameKey(one: string, other: string): boolean {
  if (one === other) return true;
  const [a, b] = [parseKeyArn(one), parseKeyArn(other)];
  if (a === undefined || b === undefined || !a.id.startsWith('mrk-')) return false;
  return a.id === b.id && a.account === b.account && a.partition === b.partition;
}

/**
 * Whether a key id of the settings can stand for a key: `exact` by ARN or id, `alias` if only KMS can tell.
 */
export function standsFor(configured: string, arn: string): 'exact' | 'alias' | 'no' {
  if (/^alias\/|:alias\//.test(configured)) return 'alias';
  if (isSameKey(configured, arn)) return 'exact';
  return !configured.includes(':') && parseKeyArn(arn)?.id === configured ? 'exact' : 'no';
}
