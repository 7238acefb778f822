export interface BasicInfo {
  /** Names only: an entry without a version passes every version test of the control plane. */
  readonly plugins: readonly string[];
  readonly labels?: Readonly<Record<string, string>>;
}

/** The first message of a data plane: plain JSON, sent as one binary frame. */
export function encodeBasicInfo(info: BasicInfo): Buffer {
  return Buffer.from(
    JSON.stringify({
      type: 'basic_info',
      plugins: info.plugins.map((name) => ({ name })),
      ...(info.labels !== undefined && { labels: info.labels }),
      process_conf: {},
      filters: {},
    }),
  );
}
