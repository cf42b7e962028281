#!/bin/sh
# The image's entrypoint: a command line that begins with an option or a configuration file is the
# server's; any other is a command to run, such as `redis-server --port 7000` or `sh`.
set -eu
case ${1:-} in
  '' | -* | *.conf) set -- spinel-server "$@" ;;
esac
exec "$@"
