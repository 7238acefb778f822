interface Listed {
  readonly key: string;
  readonly size: number;
  readonly etag: string;
  readonly modifiedAt: Date | undefined;
}

const HEADER = '<?xml version="1.0" encoding="UTF-8"?>';

export function errorXml(code: string, details = ''): string {
  return `${HEADER}<Error><Code>${code}</Code><Message>The double says ${code}.</Message>${details}</Error>`;
}

export function listXml(
  bucket: string,
  prefix: string,
  page: readonly Listed[],
  next: string | undefined,
): string {
  const contents = page.map(
    ({ etag, key, modifiedAt, size }) =>
      `<Contents><Key>${escaped(key)}</Key><Size>${size}</Size><ETag>${escaped(etag)}</ETag>` +
      `<LastModified>${modifiedAt?.toISOString() ?? ''}</LastModified></Contents>`,
  );
  const more = next === undefined ? '' : `<NextContinuationToken>${escaped(next)}</NextContinuationToken>`;
  return (
    `${HEADER}<ListBucketResult xmlns="http://s3.amazonaws.com/doc/2006-03-01/"><Name>${bucket}</Name>` +
    `<Prefix>${escaped(prefix)}</Prefix><KeyCount>${page.length}</KeyCount>` +
    `<IsTruncated>${next !== undefined}</IsTruncated>${more}${contents.join('')}</ListBucketResult>`
  );
}

function escaped(text: string): string {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('"', '&quot;');
}
