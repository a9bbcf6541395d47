# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=bash
# Common parts of the scripts that build and use the root file systems.

set -u -o pipefail
export LC_ALL=C.UTF-8
umask 022

vm_dir=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd -P)
# shellcheck disable=SC2034 # used by the scripts that include this
src_dir=$(cd "$vm_dir/../../.." && pwd -P)

say() { printf 'sva: %s\n' "$*" >&2; }
die() { say "$*"; exit 1; }

cache_dir()
{
	local dir

	if [ -n "${SVA_CACHE:-}" ]; then
		dir=$SVA_CACHE
	elif [ -n "${XDG_CACHE_HOME:-}" ]; then
		dir=$XDG_CACHE_HOME/dev-sva
	elif [ -n "${HOME:-}" ] && [ -d "$HOME" ] && [ -w "$HOME" ]; then
		dir=$HOME/.cache/dev-sva
	else
		dir=/var/tmp/dev-sva-$(id -u)
	fi
	mkdir -p "$dir" || die "cannot make the cache directory $dir; set SVA_CACHE to another place"
	# Somebody else's directory under /var/tmp must not feed us a compiler.
	[ -O "$dir" ] || die "$dir belongs to another user; set SVA_CACHE to another place"
	case $dir in *[[:space:]]*) die "no spaces please in the cache directory $dir" ;; esac
	(cd "$dir" && pwd -P)
}

# Release of the kernel to build for and to boot: another one than Debian's is
# in a directory of its own.
kernel_release() { cat "${SVA_KERNEL:-$SVA_ROOT}/release"; }

# step WHAT LOG COMMAND...: runs the command with its output in LOG; a line
# appears when it takes longer than two seconds and another when it is done.
# On failure the end of LOG is shown. With "-" as LOG the output goes where
# ours goes.
step()
{
	local what=$1 log=$2 start=$SECONDS rc=0 timer
	shift 2

	# The timer must hold neither our stdout (a pipe behind it would stay
	# open) nor a lock.
	( trap 'kill $!; exit' TERM
	  sleep 2 & wait $! && say "$what ..." ) >/dev/null 9>&- &
	timer=$!
	if [ "$log" = - ]; then
		"$@" || rc=$?
	elif [ -n "${V:-}" ]; then
		"$@" 2>&1 | tee "$log" >&2 || rc=$?
	else
		"$@" >"$log" 2>&1 || rc=$?
	fi
	kill "$timer" 2>/dev/null
	wait "$timer" 2>/dev/null
	if [ "$rc" -ne 0 ]; then
		[ "$log" != - ] || return "$rc"
		tail -n 25 "$log" >&2
		say "$what: failed (all output: $log)"
		return "$rc"
	fi
	if [ $((SECONDS - start)) -ge 2 ]; then
		say "$what: done, $((SECONDS - start)) s"
	fi
}
