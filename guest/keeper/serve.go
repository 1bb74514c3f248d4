package keeper

import (
	"bufio"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"sync"
)

// A command longer than this is not one of ours, and the stream cannot be trusted any more.
const commandBytes = 64 << 10

type command struct {
	Cmd       string `json:"cmd"`
	SizeBytes int64  `json:"sizeBytes"`
	TarBytes  int64  `json:"tarBytes"`
	Chown     *owner `json:"chown"`
	// Of a fill that is to give the workspace to somebody.
	Workspace workspaceFrom `json:"workspace"`
	Path      string        `json:"path"`
	Paths     []string      `json:"paths"`
	MaxBytes  int64         `json:"maxBytes"`
	Metacopy  bool          `json:"metacopy"`
	Contents  bool          `json:"contents"` // of a patch: the changed files as well, behind it
	Reader    *owner        `json:"reader"`   // of a patch: the sandbox's user
	Guest     bool          `json:"guest"`
	Name      string        `json:"name"`  // of a volume, for messages
	Exact     bool          `json:"exact"` // a volume of another size is refused
	Flush     bool          `json:"flush"` // of a statfs: whether all that was written came to the disk file
	// Of an image: where its VOLUMEs are, the programs to look for and the PATH to look in.
	Volumes    []string `json:"volumes"`
	Programs   []string `json:"programs"`
	SearchPath string   `json:"searchPath"`
	// Where something of the user's will be mounted.
	MountPoints []string `json:"mountPoints"`
	// Of a snapshot: what is saved where, what is left as the image has it, and what of the image's root is removed.
	Folders []snapshotFolder `json:"folders"`
	Leave   []string         `json:"leave"`
	Remove  []string         `json:"remove"`
}

type owner struct {
	UID uint32 `json:"uid"`
	GID uint32 `json:"gid"`
}

type failure struct {
	OK    bool   `json:"ok"`
	Error string `json:"error"`
}

// serve answers commands in order. The channel closes when the input ends, even in the middle of a command,
// or when the stream is beyond repair.
func serve(k *keeper, in io.Reader, out io.Writer) <-chan struct{} {
	ended := make(chan struct{})
	input := &ahead{chunks: make(chan []byte, 64)}
	end := sync.OnceFunc(func() { close(ended) })
	go func() {
		defer end()
		input.pump(in)
	}()
	go func() {
		defer end()
		lines := bufio.NewReaderSize(input, commandBytes)
		for {
			err := k.answer(lines, out)
			if err == nil {
				continue
			}
			if !errors.Is(err, io.EOF) {
				fmt.Fprintf(os.Stderr, "decoy keeper: %v\n", err)
			}
			return
		}
	}()
	return ended
}

// answer returns an error only where the stream itself is beyond repair.
func (k *keeper) answer(in *bufio.Reader, out io.Writer) error {
	line, err := in.ReadSlice('\n')
	if err != nil {
		return fmt.Errorf("reading a command: %w", err)
	}
	var c command
	if err := json.Unmarshal(line, &c); err != nil {
		return writeReply(out, failure{Error: fmt.Sprintf("reading a command: %v; send one JSON object a line", err)})
	}
	reply, payload, err := k.run(c, in)
	if err != nil {
		fmt.Fprintf(os.Stderr, "decoy keeper: %s: %v\n", c.Cmd, err)
		reply = failure{Error: err.Error()}
	}
	if err := writeReply(out, reply); err != nil || payload == nil {
		return err
	}
	defer payload.Close()
	_, err = io.Copy(out, payload)
	return err
}

func (k *keeper) run(c command, in io.Reader) (any, io.ReadCloser, error) {
	switch c.Cmd {
	case "identify":
		reply, err := k.identify(c.Paths)
		return reply, nil, err
	case "open":
		reply, err := k.open(c)
		return reply, nil, err
	case "fill":
		if c.TarBytes < 0 {
			return nil, nil, fmt.Errorf("filling the disk: tarBytes is %d; it must not be negative", c.TarBytes)
		}
		tar := io.LimitReader(in, c.TarBytes)
		reply, err := k.fill(c, tar)
		// What a failed step left unread would otherwise be taken for commands.
		_, drained := io.Copy(io.Discard, tar)
		return reply, nil, errors.Join(err, drained)
	case "await":
		reply, err := k.await(c.Path)
		return reply, nil, err
	case "image":
		reply, err := k.image(c)
		return reply, nil, err
	case "volume":
		reply, err := k.volume(c)
		return reply, nil, err
	case "snapshot":
		reply, err := k.snapshot(c)
		return reply, nil, err
	case "statfs":
		reply, err := k.usage(c.Flush)
		return reply, nil, err
	case "patch":
		return k.patch(c)
	}
	return nil, nil, fmt.Errorf("unknown command %q; known: identify, open, fill, await, image, volume, snapshot, statfs, patch", c.Cmd)
}

func writeReply(out io.Writer, reply any) error {
	line, err := json.Marshal(reply)
	if err != nil {
		return err
	}
	_, err = out.Write(append(line, '\n'))
	return err
}

// ahead reads input before it is asked for, so that its end is noticed while a command is running.
type ahead struct {
	chunks chan []byte
	rest   []byte
}

func (a *ahead) pump(in io.Reader) {
	defer close(a.chunks)
	for {
		chunk := make([]byte, commandBytes)
		n, err := in.Read(chunk)
		if n > 0 {
			a.chunks <- chunk[:n]
		}
		if err != nil {
			return
		}
	}
}

func (a *ahead) Read(p []byte) (int, error) {
	for len(a.rest) == 0 {
		chunk, more := <-a.chunks
		if !more {
			return 0, io.EOF
		}
		a.rest = chunk
	}
	n := copy(p, a.rest)
	a.rest = a.rest[n:]
	return n, nil
}
