#!/usr/bin/env python3
"""Changes what a server can't do without, while it is asked: its certificate, and its process. No request may fail.

    python3 tests/rolling/rolling.py target/release/mortise [--takeovers N] [--swaps N]

Callers ask over TLS, half of them on connections that they keep. The certificate's files are replaced; then new processes
take the port over, one after the other, then two at once, and the newest is taken back. Python's standard library and openssl
suffice. Only processes that were started here are ended. Exit status 1 if a request failed.
"""

import argparse
import hashlib
import http.client
import os
import shutil
import socket
import ssl
import subprocess
import sys
import tempfile
import threading
import time

CALLERS = 12
CONFIG = """
providers: {echo: {}}
plugins: {directory: HOME/plugins, cache: HOME/cache}
store: {path: HOME/data}
logging: {level: warn, file: false}
server: {port: PORT, reuse_port: true, ssl: {enabled: true, cert: HOME/cert.pem, key: HOME/key.pem}}
"""


class Callers:
    """Ask until they are told to stop."""

    def __init__(self, port):
        self.port, self.stop = port, False
        self.lock, self.served, self.failed, self.slowest, self.certificates = threading.Lock(), 0, [], 0.0, {}
        self.threads = [threading.Thread(target=self.ask, args=(number % 2 == 0,)) for number in range(CALLERS)]
        for thread in self.threads:
            thread.start()

    def connect(self):
        context = ssl.create_default_context()
        context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
        connection = http.client.HTTPSConnection("127.0.0.1", self.port, timeout=10, context=context)
        connection.connect()
        shown = hashlib.sha256(connection.sock.getpeercert(True)).hexdigest()
        with self.lock:
            self.certificates[shown] = self.certificates.get(shown, 0) + 1
        return connection

    def ask(self, keeps):
        connection = None
        while not self.stop:
            begin = time.monotonic()
            try:
                connection = connection or self.connect()
                connection.request("GET", "/health/live")
                response = connection.getresponse()
                response.read()
                if response.status != 200:
                    raise OSError(f"status {response.status}")
                # Who is told that the connection ends opens another one.
                if not keeps or response.getheader("connection") == "close":
                    connection.close()
                    connection = None
            except (OSError, http.client.HTTPException) as error:
                connection = None
                with self.lock:
                    self.failed.append(repr(error))
                continue
            with self.lock:
                self.served += 1
                self.slowest = max(self.slowest, time.monotonic() - begin)

    def end(self):
        self.stop = True
        for thread in self.threads:
            thread.join()


def start(binary, home):
    """A process that serves; its log goes to a file of its own."""
    with open(f"{home}/log", "ab") as log:
        command = [binary, "serve", "--config", f"{home}/mortise.yaml"]
        process = subprocess.Popen(command, stderr=log, env={**os.environ, "NOTIFY_SOCKET": f"{home}/notify"})
    return process


def ready(notices):
    """Waits until a process tells its service manager that it is ready."""
    while b"READY=1" not in notices.recv(4096):
        pass


def certificate(home):
    subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "30",
                    "-subj", "/CN=localhost", "-keyout", f"{home}/key.new", "-out", f"{home}/cert.new"],
                   check=True, stderr=subprocess.DEVNULL)
    os.replace(f"{home}/key.new", f"{home}/key.pem")
    os.replace(f"{home}/cert.new", f"{home}/cert.pem")


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("binary")
    parser.add_argument("--takeovers", type=int, default=6)
    parser.add_argument("--swaps", type=int, default=4)
    options = parser.parse_args()
    home = tempfile.mkdtemp(prefix="mortise-rolling-")
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    with open(f"{home}/mortise.yaml", "w") as file:
        file.write(CONFIG.replace("HOME", home).replace("PORT", str(port)))
    notices = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
    notices.bind(f"{home}/notify")
    notices.settimeout(60)
    running = []

    def launch():
        running.append(start(options.binary, home))
        ready(notices)

    def finish(index):
        process = running.pop(index)
        process.terminate()
        process.wait(60)

    callers = None
    try:
        certificate(home)
        launch()
        callers = Callers(port)
        for _ in range(options.swaps):
            certificate(home)
            time.sleep(3)
        for _ in range(options.takeovers):
            launch()
            finish(0)
        launch()
        launch()
        finish(0)
        # The newest is taken back.
        finish(1)
        time.sleep(1)
    finally:
        if callers:
            callers.end()
        while running:
            finish(0)
        shutil.rmtree(home, ignore_errors=True)
    changes = f"{options.swaps} certificates and {options.takeovers + 2} takeovers"
    print(f"{changes}: {callers.served} requests, {len(callers.failed)} failed, slowest {callers.slowest:.2f} s, "
          f"{len(callers.certificates)} certificates seen in {sum(callers.certificates.values())} handshakes")
    for error in callers.failed[:5]:
        print(error)
    return 1 if callers.failed or len(callers.certificates) != options.swaps + 1 else 0


if __name__ == "__main__":
    sys.exit(main())
