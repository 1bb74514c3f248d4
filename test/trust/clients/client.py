import http.client, ssl, sys

host, port = sys.argv[1], int(sys.argv[2])
context = ssl.create_default_context()
# What Python 3.13 turned on by default.
context.verify_flags |= ssl.VERIFY_X509_STRICT | ssl.VERIFY_X509_PARTIAL_CHAIN
connection = http.client.HTTPSConnection(host, port, context=context)
import socket
connection._create_connection = lambda address, *rest: socket.create_connection(("127.0.0.1", port))
connection.request("GET", "/")
print(connection.getresponse().read().decode())
