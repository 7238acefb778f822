// What the gateway's container sources in the init form. Whether the node is new is decided there and then: an init
// container does not run again when the gateway's container does, and by then the node may have a configuration.

export interface EnvScript {
  /** The snapshot; absolute, as the gateway's container sees it. */
  readonly document: string;
  /** Kong's, where the gateway's environment does not say. */
  readonly prefix: string;
  /** As above; relative to the prefix. */
  readonly environmentPath: string;
}

/** POSIX sh, also under `set -eu`; leaves nothing behind but the one variable. */
export function envScript({ document, prefix, environmentPath }: EnvScript): string {
  const file = quoted(document);
  return `# Written by kongfallback bootstrap --init. Source it before the gateway starts:
#   [ ! -r FILE ] || . FILE
# Names the fallback configuration to a gateway that has none of its own. A missing or empty file would keep it from
# starting or wipe what it has, and so would any file on a node that was configured before.
kongfallback_lmdb=\${KONG_LMDB_ENVIRONMENT_PATH:-${quoted(environmentPath)}}
case $kongfallback_lmdb in
  /*) ;;
  *) kongfallback_lmdb=\${KONG_PREFIX:-${quoted(prefix)}}/$kongfallback_lmdb ;;
esac
if [ -r ${file} ] && [ -s ${file} ] && [ ! -e "$kongfallback_lmdb/data.mdb" ]; then
  KONG_DECLARATIVE_CONFIG=${file}
  export KONG_DECLARATIVE_CONFIG
  echo "kongfallback: the gateway starts from a snapshot" >&2
else
  if [ -s ${file} ] && [ ! -r ${file} ]; then
    echo "kongfallback: the snapshot is not readable by this user; the gateway starts without it" >&2
  fi
  if [ "\${KONG_DECLARATIVE_CONFIG:-}" = ${file} ]; then
    unset KONG_DECLARATIVE_CONFIG
  fi
fi
unset kongfallback_lmdb
`;
}

/** Nothing in single quotes means anything to a shell but their end. */
const quoted = (text: string): string => `'${text.replaceAll("'", "'\\''")}'`;
