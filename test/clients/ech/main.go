// Connects through the proxy with an encrypted ClientHello and prints how the handshake ended.
// Arguments: the proxy's socket, the PROXY header in hex, the outer name, the inner name. CA is the trusted certificate.
package main

import (
	"crypto/ecdh"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"encoding/binary"
	"encoding/hex"
	"fmt"
	"net"
	"os"
)

func main() {
	connection, err := net.Dial("unix", os.Args[1])
	must(err)
	header, err := hex.DecodeString(os.Args[2])
	must(err)
	_, err = connection.Write(header)
	must(err)
	roots := x509.NewCertPool()
	roots.AppendCertsFromPEM([]byte(os.Getenv("CA")))
	client := tls.Client(connection, &tls.Config{
		ServerName: os.Args[4], RootCAs: roots, MinVersion: tls.VersionTLS13, EncryptedClientHelloConfigList: configList(os.Args[3]),
	})
	fmt.Println(client.Handshake())
}

// configList is an ECHConfigList (RFC 9849, section 4) for a key nobody has.
func configList(publicName string) []byte {
	key, err := ecdh.X25519().GenerateKey(rand.Reader)
	must(err)
	contents := []byte{1}                                      // config_id
	contents = binary.BigEndian.AppendUint16(contents, 0x0020) // DHKEM(X25519, HKDF-SHA256)
	contents = append(binary.BigEndian.AppendUint16(contents, 32), key.PublicKey().Bytes()...)
	contents = append(contents, 0, 4, 0, 1, 0, 1)            // HKDF-SHA256, AES-128-GCM
	contents = append(contents, 0, byte(len(publicName)))    // maximum_name_length, public_name
	contents = append(append(contents, publicName...), 0, 0) // no extensions
	config := binary.BigEndian.AppendUint16([]byte{0xfe, 0x0d}, uint16(len(contents)))
	config = append(config, contents...)
	return append(binary.BigEndian.AppendUint16(nil, uint16(len(config))), config...)
}

func must(err error) {
	if err != nil {
		panic(err)
	}
}
