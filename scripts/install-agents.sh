#!/bin/sh
# Installs the coding agents of docs/agents for the tests and prints the directory of their programs. Usage: scripts/install-agents.sh [DIRECTORY]
# One version each, from npm, which verifies what it fetches; about 900 MB. Takes nothing where DIRECTORY (default: a cache of this user's) has them.
set -eu
claude=2.1.332 codex=0.171.0 gemini=0.61.0
directory=${1:-${XDG_CACHE_HOME:-$HOME/.cache}/decoy-tests}
mkdir -p "$directory"
agents=$(cd "$directory" && pwd)/agents-$claude-$codex-$gemini
if ! [ -d "$agents" ]; then
	echo 'installing the coding agents' >&2
	work=$agents.$$
	mkdir "$work"
	trap 'rm -rf "$work"' EXIT
	timeout 600 npm install --silent --no-audit --no-fund --no-save --ignore-scripts --prefix "$work" \
		"@anthropic-ai/claude-code@$claude" "@openai/codex@$codex" "@google/gemini-cli@$gemini" >&2
	# What its own install script does: puts the program for this machine in place.
	(cd "$work/node_modules/@anthropic-ai/claude-code" && node install.cjs >&2)
	# Not there if another one was quicker.
	mv -T "$work" "$agents" 2>/dev/null || [ -d "$agents" ]
fi
echo "$agents/node_modules/.bin"
