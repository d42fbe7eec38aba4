"""Start: `python -m launcher`. Prints one JSON line with the port, then serves until its standard input closes."""

import json
import os
import signal
import sys
import threading

# Read by moto when its modules are imported.
os.environ.setdefault("MOTO_IAM_LOAD_MANAGED_POLICIES", "true")

from . import accounts, caches, clock, corrections, events, http, schedules, sqs  # noqa: E402


def _end_with_parent() -> None:
    """The parent holds our standard input open; when it dies, even by SIGKILL, the read returns and so do we."""
    sys.stdin.buffer.read()
    os._exit(0)


def main() -> None:
    # Ctrl-C reaches the whole process group; the parent decides when we end.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    caches.apply()
    accounts.apply()
    corrections.apply()
    sqs.apply()
    events.apply()
    schedules.apply()
    clock.start()
    server = http.serve()
    threading.Thread(target=_end_with_parent, daemon=True).start()
    print(json.dumps({"port": server.server_address[1]}), flush=True)
    server.serve_forever()


main()
