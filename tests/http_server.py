#!/usr/bin/env python3
"""A small HTTP server for the download tests: serves one folder on 127.0.0.1, with Range, and counts nothing.

Usage: http_server.py FOLDER PORT_FILE. Picks a free port and writes it to PORT_FILE (whole, by rename). Paths starting
with /norange/ ignore Range; /short/ sends half of the body and closes; /missing/ answers 404. Ends when its standard
input closes, so that it cannot outlive the test.
"""
import http.server
import os
import re
import sys
import threading


class Handler(http.server.BaseHTTPRequestHandler):
    folder = "."

    def do_GET(self):
        path = self.path.lstrip("/")
        mode, _, rest = path.partition("/")
        if mode not in ("plain", "norange", "short"):
            return self.send_error(404)
        try:
            with open(os.path.join(self.folder, rest), "rb") as f:
                body = f.read()
        except OSError:
            return self.send_error(404)
        start = 0
        asked = re.fullmatch(r"bytes=(\d+)-", self.headers.get("Range", ""))
        if asked and mode != "norange":
            start = int(asked.group(1))
            if start >= len(body):
                self.send_response(416)
                self.send_header("Content-Length", "0")
                self.end_headers()
                return None
            self.send_response(206)
            self.send_header("Content-Range", f"bytes {start}-{len(body) - 1}/{len(body)}")
        else:
            self.send_response(200)
        body = body[start:]
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body[: len(body) // 2] if mode == "short" else body)
        self.close_connection = True
        return None

    def log_message(self, *args):
        pass


def main():
    Handler.folder, port_file = sys.argv[1:3]
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    with open(port_file + ".new", "w", encoding="ascii") as f:
        f.write(str(server.server_address[1]))
    os.rename(port_file + ".new", port_file)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    sys.stdin.read()


if __name__ == "__main__":
    main()
