#!/bin/sh
# Prints which of the paths exist, and which of them can be listed or read.
for path in "$@"; do
  if [ -e "$path" ] || [ -L "$path" ]; then echo "exists $path"; fi
  if [ -d "$path" ]; then ls -A "$path" | sed "s|^|in $path: |"; fi
done
