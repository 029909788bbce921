#!/bin/sh
# agent-coord's ref guard of @SLOT@: passes what is plainly in scope, asks Python about the rest.
ours=@ADMIN@
theirs=@THEIRS@
lines=
while read -r line; do
    lines="$lines$line
"
done
if [ "$1" = prepared ]; then
    ask=
    base=
    [ -f "$ours/scope.json" ] || ask=1
    read -r base <"$ours/base" || ask=1
    while read -r old new ref; do
        case $ref in
            '' | HEAD | *_HEAD | refs/bisect/* | refs/worktree/* | refs/rewritten/* | refs/remotes/*) ;;
            @REFS@*)
                changed=$(git diff-tree -r --no-renames --name-only "$base" "$new" 2>/dev/null) || ask=1
                if [ -n "$changed" ]; then
                    grep -Fxvqf "$ours/allowed" 2>/dev/null <<PATHS
$changed
PATHS
                    [ $? -eq 1 ] || ask=1
                fi
                ;;
            *) ask=1 ;;
        esac
        [ -z "$ask" ] || break
    done <<END
$lines
END
    [ -z "$ask" ] || printf '%s' "$lines" | @ASK@ "$ours" || exit 1
fi
[ ! -x "$theirs/reference-transaction" ] || printf '%s' "$lines" | "$theirs/reference-transaction" "$@"
