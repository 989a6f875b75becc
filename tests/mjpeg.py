"""A camera on the network: an MJPEG server on 127.0.0.1 that can freeze, fall silent, die and return."""

from __future__ import annotations

import contextlib
import socket
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import cv2

from tests.helpers import clip_picture

FRAME_S = 1.0 / 30.0


class MjpegServer:
    """mode: "live" sends a new picture each time, "frozen" the same again and again, "silent" nothing."""

    def __init__(self, port: int = 0) -> None:
        self.mode = "live"
        self._number = 0
        self._open: set[socket.socket] = set()
        server = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                server.serve(self)

            def log_message(self, *_: object) -> None:
                pass

        class Server(ThreadingHTTPServer):
            daemon_threads = True
            allow_reuse_address = True

            def handle_error(self, *_: object) -> None:
                pass  # a client that left

        self._server = Server(("127.0.0.1", port), Handler)
        self.port = self._server.server_address[1]
        self.url = f"http://127.0.0.1:{self.port}/stream.mjpg"
        self._stopped = threading.Event()
        threading.Thread(target=self._server.serve_forever, args=(0.05,), daemon=True).start()

    def serve(self, request: BaseHTTPRequestHandler) -> None:
        self._open.add(request.connection)
        request.send_response(200)
        request.send_header("Content-Type", "multipart/x-mixed-replace; boundary=frame")
        request.end_headers()
        while not self._stopped.is_set():
            if self.mode != "silent":
                self._number += self.mode == "live"
                jpeg = cv2.imencode(".jpg", clip_picture(self._number))[1].tobytes()
                head = f"--frame\r\nContent-Type: image/jpeg\r\nContent-Length: {len(jpeg)}\r\n\r\n"
                request.wfile.write(head.encode() + jpeg + b"\r\n")
            time.sleep(FRAME_S)

    def stop(self) -> None:
        """Dies: the port is closed, and so is every connection."""
        self._stopped.set()
        self._server.shutdown()
        self._server.server_close()
        for connection in self._open:
            with contextlib.suppress(OSError):
                connection.shutdown(socket.SHUT_RDWR)
