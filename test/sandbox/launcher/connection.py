"""Whether the caller of the request that this thread answers is still there."""

import select
import socket
import threading

_local = threading.local()


def serve(connection: socket.socket) -> None:
    _local.connection = connection


def gone() -> bool:
    """True once the caller has closed the connection, so that a poll does not take messages that nobody will get."""
    connection = getattr(_local, "connection", None)
    if connection is None or not select.select([connection], [], [], 0)[0]:
        return False
    try:
        return connection.recv(1, socket.MSG_PEEK) == b""
    except OSError:
        return True
