"""An echo server: a greenlet for each connection."""

import resource
import sys

from gevent.server import StreamServer

limit = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
resource.setrlimit(resource.RLIMIT_NOFILE, (limit, limit))


def echo(connection, _address):
    while received := connection.recv(4096):
        connection.sendall(received)


server = StreamServer(("127.0.0.1", 0), echo, backlog=1024)
server.start()
print(f"127.0.0.1:{server.server_port}", flush=True)
server.serve_forever()
