package keeper

import (
	"bytes"
	"fmt"
	"os"
	"os/exec"
	"strconv"

	"golang.org/x/sys/unix"
)

const (
	// Below this ext4's tables leave hardly any room.
	smallestDiskBytes = 8 << 20
	blockBytes        = 4096
	mostInodes        = 2 << 20
)

// makeDisk makes a sparse file of sizeBytes into an empty ext4 and returns what the host has free.
func makeDisk(file string, sizeBytes int64) (hostFreeBytes uint64, err error) {
	// No journal: nothing here outlives the run.
	return formatFile(file, sizeBytes, []string{"-O", "^has_journal,^resize_inode"}, "lazy_itable_init=1,nodiscard")
}

func formatFile(file string, sizeBytes int64, options []string, extended string) (hostFreeBytes uint64, err error) {
	if sizeBytes < smallestDiskBytes {
		return 0, fmt.Errorf("making a disk of %d bytes: too small; ask for at least %d (8m)", sizeBytes, smallestDiskBytes)
	}
	program, err := findProgram("mke2fs")
	if err != nil {
		return 0, fmt.Errorf("making the disk: %w; install e2fsprogs on the host", err)
	}
	if err := makeSparse(file, sizeBytes); err != nil {
		return 0, err
	}
	var host unix.Statfs_t
	if err := unix.Statfs(file, &host); err != nil {
		return 0, fmt.Errorf("measuring the file system of %s: %w", file, err)
	}
	hostFreeBytes = host.Bavail * uint64(host.Bsize)

	// assume_storage_prezeroed (e2fsprogs 1.47) marks the inode tables as zeroed; a hole is.
	output, err := mke2fs(program, file, sizeBytes, append(options, "-E", extended+",assume_storage_prezeroed=1"))
	if err != nil {
		output, err = mke2fs(program, file, sizeBytes, append(options, "-E", extended))
	}
	if err != nil {
		return 0, fmt.Errorf("making ext4 in a file of %d bytes: %w: %s", sizeBytes, err, bytes.TrimSpace(output))
	}
	return hostFreeBytes, nil
}

func makeSparse(file string, sizeBytes int64) error {
	f, err := os.OpenFile(file, os.O_CREATE|os.O_RDWR|os.O_EXCL, 0o600)
	if err != nil {
		return fmt.Errorf("making the disk file: %w", err)
	}
	defer f.Close()
	if err := f.Truncate(sizeBytes); err != nil {
		return fmt.Errorf("making a sparse disk file of %d bytes: %w", sizeBytes, err)
	}
	return nil
}

func mke2fs(program, file string, sizeBytes int64, options []string) ([]byte, error) {
	// No reserve: the sandbox may be root.
	arguments := []string{"-q", "-F", "-t", "ext4", "-m", "0", "-b", strconv.Itoa(blockBytes), "-I", "256", "-N", strconv.FormatInt(inodesFor(sizeBytes), 10)}
	c := exec.Command(program, append(append(arguments, options...), file)...)
	// A host's own mke2fs.conf may ask for features its kernel reads but the next one does not: use the built-in one.
	c.Env = []string{"MKE2FS_CONFIG=/nonexistent", "LC_ALL=C"}
	c.SysProcAttr = dieWithKeeper()
	return c.CombinedOutput()
}

// inodesFor gives a small disk enough inodes for a tree of small files (one a block, up to 64 Ki of
// them), a usual one ext4's default of one per 16 KiB, and a big one no more than two million (512 MiB).
func inodesFor(sizeBytes int64) int64 {
	return min(max(sizeBytes/16384, min(sizeBytes/blockBytes, 65536)), mostInodes)
}

func findProgram(name string) (string, error) {
	for _, dir := range []string{"/usr/local/sbin", "/usr/local/bin", "/usr/sbin", "/usr/bin", "/sbin", "/bin"} {
		path := dir + "/" + name
		if info, err := os.Stat(path); err == nil && info.Mode().IsRegular() && info.Mode()&0o111 != 0 {
			return path, nil
		}
	}
	return "", fmt.Errorf("%s was not found in /usr/local, /usr, / (sbin or bin)", name)
}
