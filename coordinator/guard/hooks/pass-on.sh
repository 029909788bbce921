#!/bin/sh
# The guard of @SLOT@ has no say here: the project's own hook runs.
theirs=@THEIRS@
[ ! -x "$theirs/@NAME@" ] || exec "$theirs/@NAME@" "$@"
