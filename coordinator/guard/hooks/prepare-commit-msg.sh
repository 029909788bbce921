#!/bin/sh
# agent-coord's mark of @SLOT@: in a history that several agents write, a commit says whose it is.
theirs=@THEIRS@
[ ! -x "$theirs/prepare-commit-msg" ] || "$theirs/prepare-commit-msg" "$@" || exit 1
exec git interpret-trailers --in-place --if-exists replace --trailer @MARK@ "$1"
