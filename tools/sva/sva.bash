# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=bash
#
# Completion of the sva command, to be installed as completions/sva.

_sva()
{
	local word=${COMP_WORDS[COMP_CWORD]} before=${COMP_WORDS[COMP_CWORD - 1]}
	local command='' words='' i

	for ((i = 1; i < COMP_CWORD; i++)); do
		case ${COMP_WORDS[i]} in
		-*) ;;
		*)
			command=${COMP_WORDS[i]}
			break
			;;
		esac
	done

	COMPREPLY=()
	case $command in
	'') words="demo devices doctor list quota top --json --help --version" ;;
	demo)
		case $before in
		-d | --device) mapfile -t COMPREPLY < <(compgen -f -- "${word:-/dev/sva_sim}") ;;
		-s | --size) ;;
		*)
			words="--device --json --quiet --size --verbose --help"
			mapfile -t COMPREPLY < <(compgen -f -- "$word")
			;;
		esac
		;;
	devices) words="--all --json --help" ;;
	doctor)
		words="--json --help $(sva devices --all 2>/dev/null |
			sed -n '2,$s/ .*//p')"
		;;
	list)
		case $before in
		-p | --pid) words=$(cd /proc && echo [0-9]*) ;;
		*) words="processes contexts pasids bonds --pid --json --help" ;;
		esac
		;;
	quota)
		case $before in
		-u | --user) mapfile -t COMPREPLY < <(compgen -u -- "$word") ;;
		*)
			words="get set tree --all --user --json --help"
			mapfile -t COMPREPLY < <(compgen -d -- "${word:-/sys/fs/cgroup/}")
			;;
		esac
		;;
	top)
		case $before in
		-d | --delay) ;;
		-s | --sort) words="faults invalidations memory pasids pid" ;;
		*) words="--delay --sort --json --help" ;;
		esac
		;;
	esac
	mapfile -t -O "${#COMPREPLY[@]}" COMPREPLY < <(compgen -W "$words" -- "$word")
}

complete -F _sva sva
