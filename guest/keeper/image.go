package keeper

import (
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"unicode/utf8"

	"golang.org/x/sys/unix"
)

const (
	// Every directory becomes a mount of the sandbox.
	mostImageDirectories = 100
	mostImageEntries     = 10_000
	mostImageFileBytes   = 1 << 20
)

// Of the image, what Decoy adds to: the rest it need not know.
var imageFiles = []string{"etc/passwd", "etc/group", "etc/gitconfig"}

// imageLook is what a sandbox's mounts and files are laid out by. The image's author chose all of it.
type imageLook struct {
	OK          bool              `json:"ok"`
	Directories []imageDirectory  `json:"directories"` // of its root; no link among them
	Others      []string          `json:"others"`      // what else is in its root
	Volumes     []imageVolume     `json:"volumes"`     // in the order asked for
	Programs    []string          `json:"programs"`    // those asked for that there are
	Files       map[string][]byte `json:"files"`       // by name, without a leading slash
	Crooked     []string          `json:"crooked"`     // mount points on whose way there is a link, or anything else but directories
}

type imageDirectory struct {
	Name  string `json:"name"`
	Mode  uint32 `json:"mode"`
	UID   uint32 `json:"uid"`
	GID   uint32 `json:"gid"`
	Empty bool   `json:"empty"`
}

type imageVolume struct {
	Path string `json:"path"`
	Kind string `json:"kind"` // directory, other or missing
	// Where the path leads inside the image, without a link on the way, and what is there; Name is that place, without a leading slash.
	At imageDirectory `json:"at"`
}

// image looks at the image's files, which are mounted read-only and which nobody changes.
func (k *keeper) image(c command) (*imageLook, error) {
	reply := &imageLook{OK: true, Others: []string{}, Volumes: []imageVolume{}, Programs: []string{}, Crooked: []string{}, Files: map[string][]byte{}}
	if err := k.lookAtRoot(reply); err != nil {
		return nil, err
	}
	for _, path := range c.Volumes {
		volume, err := k.lookAtVolume(path)
		if err != nil {
			return nil, err
		}
		reply.Volumes = append(reply.Volumes, *volume)
	}
	for _, program := range c.Programs {
		if findInImage(k.places.image, c.SearchPath, program) {
			reply.Programs = append(reply.Programs, program)
		}
	}
	for _, path := range c.MountPoints {
		straight, err := isStraight(k.places.image, path)
		if err != nil {
			return nil, fmt.Errorf("following %q in the image: %w", path, err)
		}
		if !straight {
			reply.Crooked = append(reply.Crooked, path)
		}
	}
	for _, name := range imageFiles {
		content, err := readInImage(k.places.image, name)
		if err != nil {
			return nil, fmt.Errorf("reading the image's /%s: %w", name, err)
		}
		if content != nil {
			reply.Files[name] = content
		}
	}
	return reply, nil
}

func (k *keeper) lookAtRoot(reply *imageLook) error {
	entries, err := os.ReadDir(k.places.image)
	if err != nil {
		return fmt.Errorf("reading the image's root: %w", err)
	}
	if len(entries) > mostImageEntries {
		return fmt.Errorf("the image's root has %d entries; more than %d are refused", len(entries), mostImageEntries)
	}
	for _, entry := range entries {
		if !utf8.ValidString(entry.Name()) {
			return fmt.Errorf("the image's root has the entry %q, whose name is not UTF-8", entry.Name())
		}
		if !entry.IsDir() {
			reply.Others = append(reply.Others, entry.Name())
			continue
		}
		directory, err := k.describe(entry.Name())
		if err != nil {
			return err
		}
		reply.Directories = append(reply.Directories, *directory)
	}
	if len(reply.Directories) > mostImageDirectories {
		return fmt.Errorf("the image's root has %d directories; more than %d cannot be mounted", len(reply.Directories), mostImageDirectories)
	}
	return nil
}

func (k *keeper) describe(name string) (*imageDirectory, error) {
	path := filepath.Join(k.places.image, name)
	var st unix.Stat_t
	if err := unix.Lstat(path, &st); err != nil {
		return nil, fmt.Errorf("looking at the image's /%s: %w", name, err)
	}
	empty, err := isEmpty(path)
	if err != nil {
		return nil, fmt.Errorf("looking into the image's /%s: %w", name, err)
	}
	return &imageDirectory{Name: name, Mode: st.Mode & 0o7777, UID: st.Uid, GID: st.Gid, Empty: empty}, nil
}

func isEmpty(path string) (bool, error) {
	dir, err := os.Open(path)
	if err != nil {
		return false, err
	}
	defer dir.Close()
	_, err = dir.Readdirnames(1)
	if err == io.EOF {
		return true, nil
	}
	return false, err
}

func (k *keeper) lookAtVolume(path string) (*imageVolume, error) {
	name, err := resolveInImage(k.places.image, path)
	if errors.Is(err, unix.ENOENT) {
		return &imageVolume{Path: path, Kind: "missing"}, nil
	}
	if err != nil {
		return nil, fmt.Errorf("following the image's VOLUME %q: %w", path, err)
	}
	info, err := os.Lstat(filepath.Join(k.places.image, name))
	if err != nil {
		return nil, fmt.Errorf("looking at the image's VOLUME %q: %w", path, err)
	}
	if !info.IsDir() {
		return &imageVolume{Path: path, Kind: "other"}, nil
	}
	at, err := k.describe(name)
	if err != nil {
		return nil, err
	}
	return &imageVolume{Path: path, Kind: "directory", At: *at}, nil
}

// findInImage looks for a program as execvp(3) would inside the image.
func findInImage(root, searchPath, program string) bool {
	candidates := []string{program}
	if !slices.Contains([]byte(program), '/') {
		candidates = candidates[:0]
		for _, dir := range filepath.SplitList(searchPath) {
			candidates = append(candidates, filepath.Join("/", dir, program))
		}
	}
	return slices.ContainsFunc(candidates, func(candidate string) bool {
		name, err := resolveInImage(root, candidate)
		if err != nil {
			return false
		}
		info, err := os.Lstat(filepath.Join(root, name))
		return err == nil && info.Mode().IsRegular() && info.Mode()&0o111 != 0
	})
}

// readInImage reads a small file; nil where there is none.
func readInImage(root, name string) ([]byte, error) {
	resolved, err := resolveInImage(root, name)
	if errors.Is(err, unix.ENOENT) || errors.Is(err, unix.ENOTDIR) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	path := filepath.Join(root, resolved)
	info, err := os.Lstat(path)
	if err != nil || !info.Mode().IsRegular() {
		return nil, err
	}
	if info.Size() > mostImageFileBytes {
		return nil, fmt.Errorf("it has %d bytes; more than %d are refused", info.Size(), mostImageFileBytes)
	}
	return os.ReadFile(path)
}
