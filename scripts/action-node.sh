#!/usr/bin/env bash
# Runs one step of the action: `action-node.sh plan-volumes`, `run` or `report-and-clean`. A composite step has no Node of its own:
# the runner's is taken, else the one in PATH. Ends in exec, so that the runner's SIGINT and SIGTERM reach Node and its exit code is the step's.
set -euo pipefail

least=20

main() {
  if [ "$(uname -s)" != Linux ]; then fail "Decoy runs on Linux runners only, and this one is $(uname -s): use runs-on: ubuntu-latest"; fi
  local root node
  root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
  node=$(runner_node)
  [ -n "$node" ] || node=$(path_node)
  # Options meant for the job's own programs could load a file of the workspace into the process that holds the secrets.
  unset NODE_OPTIONS NODE_PATH
  exec "$node" "$root/dist/action.js" "$@"
}

# The newest Node that came with the runner: ../externals/node*/bin/node of the Runner.Worker among this process's ancestors.
# After the runner has updated itself the two directories are bin.VERSION and externals.VERSION.
runner_node() {
  local pid=$PPID executable bin
  while [ "${pid:-0}" -gt 1 ]; do
    executable=$(readlink "/proc/$pid/exe" 2>/dev/null || true)
    if [ "${executable##*/}" = Runner.Worker ]; then
      bin=${executable%/*}
      local suffix=${bin##*/}
      local externals="${bin%/*}/externals${suffix#bin}"
      [ -d "$externals" ] || externals="${bin%/*}/externals"
      newest_in "$externals"
      return
    fi
    pid=$(parent_of "$pid")
  done
}

# Field 4 of /proc/PID/stat (proc(5)); the name before it may hold spaces and parentheses.
parent_of() {
  local stat
  stat=$(cat "/proc/$1/stat" 2>/dev/null) || return 0
  stat=${stat##*) }
  set -- $stat
  echo "$2"
}

# node20_alpine and its like are for musl: only names that are a number count.
newest_in() {
  local candidate directory version newest=0 found=
  for candidate in "$1"/node*/bin/node; do
    directory=${candidate%/bin/node}
    version=${directory##*/node}
    [[ $version =~ ^[0-9]+$ ]] || continue
    if [ "$version" -ge "$least" ] && [ "$version" -gt "$newest" ] && "$candidate" --version >/dev/null 2>&1; then
      newest=$version
      found=$candidate
    fi
  done
  echo "$found"
}

path_node() {
  local node version
  node=$(command -v node) || fail "Decoy needs Node $least or newer, and neither the runner nor PATH has it: add actions/setup-node before this step"
  version=$("$node" --version 2>/dev/null || echo unknown)
  local major=${version#v}
  major=${major%%.*}
  if ! [[ $major =~ ^[0-9]+$ ]] || [ "$major" -lt "$least" ]; then
    fail "Decoy needs Node $least or newer, and $node is $version: add actions/setup-node with a newer node-version before this step"
  fi
  echo "$node"
}

# Also called in a command substitution, whose output is not the log.
fail() {
  echo "::error::$1" >&2
  exit 125
}

main "$@"
