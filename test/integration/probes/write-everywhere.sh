#!/bin/sh
# Adds, changes, removes and hands over files below each folder, as far as it may. usage: write-everywhere.sh FOLDER…
for folder in "$@"; do
  echo changed > "$folder/decoy-was-here" && echo "wrote $folder"
  mkdir "$folder/decoy-directory"
  victim=$(find "$folder" -xdev -maxdepth 2 -type f -size -64k ! -name 'decoy-*' ! -path '*/probes/*' ! -path '*/ld*' | sort | head -n 1)
  if [ -n "$victim" ]; then
    echo changed >> "$victim" && chmod 0700 "$victim" && chown 12345:12345 "$victim" && touch -d '2001-01-01' "$victim"
    rm -f "$victim" && echo "removed $victim"
  fi
done
exit 0
