package keeper

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
)

// No line of a file's content begins so: git puts a sign before each, and base 85 has no space.
var sectionStart = []byte("diff --git ")

// sections writes git's patch file by file, and takes back each one that has no room, so that smaller ones behind it come out.
type sections struct {
	file     *os.File
	out      *bufio.Writer
	files    []changedFile
	maxBytes int64

	left    []string // for each file that has begun: why it is left out, empty where it is not
	due     int      // sections of the last of them that are still to come
	begunAt int64
	bytes   int64
}

func (s *sections) readFrom(diff io.Reader) error {
	in := bufio.NewReaderSize(diff, 256<<10)
	for begins := true; ; {
		piece, err := in.ReadSlice('\n')
		if err != nil && err != io.EOF && err != bufio.ErrBufferFull {
			return err
		}
		if begins && bytes.HasPrefix(piece, sectionStart) {
			if err := s.begin(); err != nil {
				return err
			}
		}
		if err := s.write(piece); err != nil {
			return err
		}
		if err == io.EOF {
			return nil
		}
		begins = err == nil
	}
}

func (s *sections) begin() error {
	if s.due > 0 {
		s.due--
		return nil
	}
	if len(s.left) == len(s.files) {
		return errors.New("git diff-tree: the patch has more files than its summary")
	}
	s.due = s.files[len(s.left)].sections - 1
	s.left = append(s.left, "")
	s.begunAt = s.bytes
	return nil
}

func (s *sections) write(piece []byte) error {
	last := len(s.left) - 1
	if last < 0 || s.left[last] != "" {
		return nil
	}
	if s.bytes+int64(len(piece)) <= s.maxBytes {
		s.bytes += int64(len(piece))
		_, err := s.out.Write(piece)
		return err
	}
	return s.takeBack(fmt.Sprintf("with it the patch would have more than %d bytes", s.maxBytes))
}

// takeBack leaves out the last file that has begun.
func (s *sections) takeBack(reason string) error {
	s.left[len(s.left)-1] = reason
	s.bytes = s.begunAt
	if err := s.out.Flush(); err != nil {
		return err
	}
	_, err := s.file.Seek(s.begunAt, io.SeekStart)
	return errors.Join(err, s.file.Truncate(s.begunAt))
}

func (s *sections) end() error {
	if s.due > 0 || len(s.left) < len(s.files) {
		return fmt.Errorf("git diff-tree: the patch has %d files, its summary %d", len(s.left), len(s.files))
	}
	return s.out.Flush()
}

// cutShort leaves out the file that git was at, and those behind it.
func (s *sections) cutShort(reason string) error {
	err := s.out.Flush()
	if last := len(s.left) - 1; last >= 0 && s.left[last] == "" {
		err = errors.Join(err, s.takeBack(reason))
	}
	for len(s.left) < len(s.files) {
		s.left = append(s.left, reason)
	}
	return err
}
