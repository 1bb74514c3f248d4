# Writes into each folder until it is refused, at most MEBIBYTES, and prints how much went in and why no more did.
most=$1
shift
for folder in "$@"; do
	why=$(dd if=/dev/zero of="$folder/fill" bs=1048576 count="$most" 2>&1 | grep -o 'No space left on device\|Permission denied\|Read-only file system')
	echo "$folder $(($(stat -c %s "$folder/fill" 2>/dev/null || echo 0) / 1048576)) ${why:-all}"
	rm -f "$folder/fill"
done
