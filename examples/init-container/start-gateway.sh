#!/bin/sh
# The gateway container's command: sources what the init container wrote, then starts the gateway as it would without.
#   start-gateway.sh /kongfallback /docker-entrypoint.sh kong docker-start
# The gateway starts in any case: also when there is no script, or one that cannot be read.
folder=$1
shift
if [ -r "$folder/env.sh" ]; then
  . "$folder/env.sh"
fi
exec "$@"
