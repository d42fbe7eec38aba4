"""moto's WSGI application behind a keep-alive HTTP server and one lock.

moto is not thread-safe ("dictionary changed size during iteration" under ten clients) and its own server closes every
connection. Long polls (SQS ReceiveMessage) give the lock away while they wait: `sqs.py`.
"""

import json
import sys
import traceback
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from io import BytesIO
from urllib.parse import unquote_to_bytes

from botocore.model import OperationNotFoundError
from moto.moto_server.werkzeug_app import DomainDispatcherApplication, create_backend_app

from . import calls, clock, connection, control, errors, iam_lag, secret_labels, trail

_app = DomainDispatcherApplication(create_backend_app)


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    server_version = "sandbox"

    #: Whose clock the answer tells; none: the machine's.
    _account: str | None = None

    def date_time_string(self, timestamp: float | None = None) -> str:
        return super().date_time_string(None if self._account is None else clock.now(self._account))

    def log_message(self, format: str, *args: object) -> None:
        pass

    def _answer(self, status: int, headers: list[tuple[str, str]], body: bytes) -> None:
        self.send_response(status)
        for name, value in headers:
            if name.lower() not in ("content-length", "connection", "date", "server", "transfer-encoding"):
                self.send_header(name, value)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)

    def _handle(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        try:
            if self.path.startswith("/sandbox/"):
                with clock.lock:
                    answer = control.handle(self.path, json.loads(body or b"{}"))
                self._answer(200, [("Content-Type", "application/json")], json.dumps(answer).encode())
                return
            self._answer(*self._ask(body))
        except ConnectionError:
            # The caller has gone; there is nobody to tell.
            self.close_connection = True
        except (NotImplementedError, OperationNotFoundError) as error:
            self._answer(*errors.shaped(self.headers, body, 501, "NotImplemented", f"not in the sandbox: {error}"))
        except Exception as error:
            traceback.print_exc(file=sys.stderr)
            self._answer(*errors.shaped(self.headers, body, 500, "InternalFailure", f"{type(error).__name__}: {error}"))

    def _ask(self, body: bytes) -> errors.Answer:
        call = calls.of(self.headers, body)
        self._account = None if call is None else call.account
        connection.serve(self.connection)
        with clock.lock:
            if call is None:
                return self._ask_moto(body)
            refusal = iam_lag.refusal(call)
            if refusal is not None:
                answer = errors.shaped(self.headers, body, *refusal)
            else:
                labels_moved = secret_labels.watch(call)
                with iam_lag.around(call):
                    answer = self._ask_moto(body)
                if answer[0] < 400:
                    labels_moved()
            trail.record(call, self.client_address[0], *answer)
            return answer

    def _ask_moto(self, body: bytes) -> errors.Answer:
        caught: list = []

        def start_response(status: str, headers: list[tuple[str, str]], exc_info: object = None) -> None:
            caught[:] = [int(status.split(" ", 1)[0]), headers]

        content = b"".join(_app(self._environ(body), start_response))
        status, headers = caught
        if status == 404 and not content:
            raise NotImplementedError(f"{self.command} {self.path}")
        return status, headers, content

    def _environ(self, body: bytes) -> dict:
        path, _, query = self.path.partition("?")
        host, port = self.server.server_address[:2]
        environ = {
            "REQUEST_METHOD": self.command,
            "SCRIPT_NAME": "",
            "PATH_INFO": unquote_to_bytes(path).decode("latin-1"),
            "QUERY_STRING": query,
            "RAW_URI": self.path,
            "REQUEST_URI": self.path,
            "SERVER_NAME": host,
            "SERVER_PORT": str(port),
            "SERVER_PROTOCOL": self.request_version,
            "CONTENT_LENGTH": str(len(body)),
            "CONTENT_TYPE": self.headers.get("Content-Type", ""),
            "wsgi.version": (1, 0),
            "wsgi.url_scheme": "http",
            "wsgi.input": BytesIO(body),
            "wsgi.errors": sys.stderr,
            "wsgi.multithread": True,
            "wsgi.multiprocess": False,
            "wsgi.run_once": False,
        }
        for name, value in self.headers.items():
            key = name.upper().replace("-", "_")
            if key not in ("CONTENT_LENGTH", "CONTENT_TYPE"):
                environ[f"HTTP_{key}"] = value
        return environ

    do_GET = do_POST = do_PUT = do_DELETE = do_HEAD = do_PATCH = _handle


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 128


def serve() -> ThreadingHTTPServer:
    """A server bound to a free port of the loopback interface, not yet serving."""
    return _Server(("127.0.0.1", 0), _Handler)
