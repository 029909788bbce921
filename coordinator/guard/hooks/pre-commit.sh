#!/bin/sh
# agent-coord's guard of @SLOT@: says what a commit may not hold, before git's references do.
ours=@ADMIN@
theirs=@THEIRS@
ask=
[ -f "$ours/scope.json" ] || ask=1
changed=$(git diff-index --cached -r --no-renames --name-only HEAD 2>/dev/null) || ask=1
if [ -n "$changed" ]; then
    grep -Fxvqf "$ours/allowed" 2>/dev/null <<PATHS
$changed
PATHS
    [ $? -eq 1 ] || ask=1
fi
[ -z "$ask" ] || @ASK@ "$ours" || exit 1
[ ! -x "$theirs/pre-commit" ] || exec "$theirs/pre-commit" "$@"
