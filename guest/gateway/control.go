package gateway

import (
	"bufio"
	"encoding/json"
	"io"
	"net"
	"sync"
	"time"
)

const (
	// A configuration line holds at most a few thousand ports and addresses.
	controlLineBytes = 1 << 20
	configSeconds    = 30
	// Below the 5 seconds after which glibc, musl and c-ares ask again.
	answerSeconds = 4
	// A host that stopped reading must not leave the gateway serving unjudged.
	controlWriteSeconds = 10
)

// message is every line either side may send; the type says which fields mean something.
type message struct {
	Type string `json:"type"`

	// config
	Ports     []int    `json:"ports,omitempty"`
	Addresses []string `json:"addresses,omitempty"`
	Expose    []int    `json:"expose,omitempty"`
	UID       int      `json:"uid,omitempty"`
	GID       int      `json:"gid,omitempty"`

	// query and answer; probe and probed
	ID        uint64 `json:"id,omitempty"`
	Name      string `json:"name,omitempty"`
	Qtype     string `json:"qtype,omitempty"`
	Transport string `json:"transport,omitempty"`
	Allow     bool   `json:"allow,omitempty"`

	// refused, error and probed
	Reason  string `json:"reason,omitempty"`
	Address string `json:"address,omitempty"`
	Port    int    `json:"port,omitempty"`
	Count   int    `json:"count,omitempty"`
	Message string `json:"message,omitempty"`
}

// control is the connection to the host. Whatever ends it ends the gateway.
type control struct {
	config message

	lines *bufio.Scanner

	writing sync.Mutex
	conn    net.Conn

	asking  sync.Mutex
	lastID  uint64
	waiting map[uint64]chan bool
}

func openControl(path string) (*control, error) {
	conn, err := dialAsOwner(path, configSeconds*time.Second)
	if err != nil {
		return nil, attempt("reach the host", err)
	}
	c := &control{conn: conn, lines: bufio.NewScanner(conn), waiting: map[uint64]chan bool{}}
	c.lines.Buffer(make([]byte, 4096), controlLineBytes)
	conn.SetReadDeadline(time.Now().Add(configSeconds * time.Second))
	c.config, err = c.read()
	if err != nil {
		return nil, attempt("read the configuration", err)
	}
	if c.config.Type != "config" {
		return nil, problem("cannot start: the host's first message is not a configuration")
	}
	conn.SetReadDeadline(time.Time{})
	return c, nil
}

// ask returns the host's verdict on a name; ok is false when it gave none in time.
func (c *control) ask(name, qtype, transport string) (allow, ok bool) {
	answer := make(chan bool, 1)
	c.asking.Lock()
	c.lastID++
	id := c.lastID
	c.waiting[id] = answer
	c.asking.Unlock()
	defer func() {
		c.asking.Lock()
		delete(c.waiting, id)
		c.asking.Unlock()
	}()

	if c.send(message{Type: "query", ID: id, Name: name, Qtype: qtype, Transport: transport}) != nil {
		return false, false
	}
	timer := time.NewTimer(answerSeconds * time.Second)
	defer timer.Stop()
	select {
	case allow = <-answer:
		return allow, true
	case <-timer.C:
		return false, false
	}
}

// readAnswers returns when the connection ends, which is always an error. Whatever is no answer goes to handle.
func (c *control) readAnswers(handle func(message)) error {
	for {
		received, err := c.read()
		if err != nil {
			return attempt("go on without the host", err)
		}
		if received.Type != "answer" {
			handle(received)
			continue
		}
		c.asking.Lock()
		answer := c.waiting[received.ID]
		delete(c.waiting, received.ID)
		c.asking.Unlock()
		if answer != nil {
			answer <- received.Allow
		}
	}
}

// send writes one line; a failure closes the connection, so that readAnswers ends the gateway.
func (c *control) send(m message) error {
	line, err := json.Marshal(m)
	if err != nil {
		return err
	}
	c.writing.Lock()
	defer c.writing.Unlock()
	c.conn.SetWriteDeadline(time.Now().Add(controlWriteSeconds * time.Second))
	if _, err := c.conn.Write(append(line, '\n')); err != nil {
		c.conn.Close()
		return attempt("write to the host", err)
	}
	return nil
}

// fail tells the host why the gateway will not start, and returns that reason.
func (c *control) fail(reason error) error {
	c.send(message{Type: "error", Message: reason.Error()})
	return reason
}

func (c *control) read() (message, error) {
	var received message
	if !c.lines.Scan() {
		if err := c.lines.Err(); err != nil {
			return received, err
		}
		return received, io.EOF
	}
	return received, json.Unmarshal(c.lines.Bytes(), &received)
}
