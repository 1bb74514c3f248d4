package gateway

import (
	"net"
	"sync"
)

// Half of the range; a run that needs more names than this is enumerating, not working.
const namesMost = 65536

// names gives each allowed name one address for the whole run, and says which name an address stands for.
type names struct {
	literals map[[4]byte]bool

	mutex     sync.RWMutex
	addresses map[string][4]byte
	owners    map[[4]byte]string
	last      uint32
}

func newNames(literals [][4]byte) *names {
	n := &names{literals: map[[4]byte]bool{}, addresses: map[string][4]byte{}, owners: map[[4]byte]string{}}
	for _, literal := range literals {
		n.literals[literal] = true
	}
	return n
}

// addressOf returns the name's address, a new one if it has none yet; ok is false when the table is full.
func (n *names) addressOf(name string) (address [4]byte, ok bool) {
	n.mutex.Lock()
	defer n.mutex.Unlock()
	if address, ok = n.addresses[name]; ok {
		return address, true
	}
	if len(n.addresses) >= namesMost {
		return address, false
	}
	for {
		n.last++
		address = [4]byte{198, 18 + byte(n.last>>16), byte(n.last >> 8), byte(n.last)}
		// .0 and .255 look like a network and its broadcast address to some clients; a literal may lie in the range.
		if address[3] != 0 && address[3] != 255 && !n.literals[address] {
			break
		}
	}
	n.addresses[name] = address
	n.owners[address] = name
	return address, true
}

// nameOf returns the name that the address was handed out for, or the text of a configured literal.
func (n *names) nameOf(address [4]byte) (name string, ok bool) {
	if n.literals[address] {
		return net.IP(address[:]).String(), true
	}
	n.mutex.RLock()
	defer n.mutex.RUnlock()
	name, ok = n.owners[address]
	return name, ok
}

// forget takes every address back; whoever still holds one holds nothing.
func (n *names) forget() {
	n.mutex.Lock()
	defer n.mutex.Unlock()
	clear(n.addresses)
	clear(n.owners)
	n.last = 0
}
