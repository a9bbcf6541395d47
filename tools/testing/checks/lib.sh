# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=bash
# Common parts of the checks. Each check is a program that writes one line for
# each problem and exits with 0 if it could do its work; no output is a pass.

set -u -o pipefail
src=$(cd "$(dirname "${BASH_SOURCE[0]}")/../../.." && pwd -P)
# shellcheck disable=SC2034 # used by the scripts that include this
linux=$SVA_ROOT/linux
# shellcheck disable=SC2034
out=$SVA_BUILD/check
cd "$src" || exit 1

# Files of the project (tracked, or new and not ignored) whose path matches one
# of the patterns (as in "case").
files()
{
	local f p

	{ git -c safe.directory='*' ls-files -co --exclude-standard 2>/dev/null ||
		find . -type f -not -path './.git*' -not -path './build/*' -printf '%P\n'
	} | sort | while read -r f; do
		[ -f "$f" ] || continue
		for p in "$@"; do
			# shellcheck disable=SC2254 # a pattern is wanted
			case $f in $p) echo "$f"; break ;; esac
		done
	done
}

# The scripts among them, by their first line
scripts()	# PATTERN OF INTERPRETER
{
	files '*' | while read -r f; do
		head -n 3 "$f" | grep -qaE "^#!.*\b$1\b|shellcheck shell=$1" && echo "$f"
	done
}
