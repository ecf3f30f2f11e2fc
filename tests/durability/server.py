"""A server of one's own: started, asked, killed."""

import http.client
import json
import os
import socket
import subprocess
import time

CONFIG = """
providers: {echo: {}}
default_provider: echo
plugins: {directory: HOME/plugins, cache: CACHE}
logging: {level: warn, file: false}
server:
  port: PORT
  rate_limit: {enabled: false}
  REUSE
  auth:
    attempts_per_account: 1000000/1m
    attempts_per_address: 1000000/1m
    passwords: {memory: 1MiB, passes: 1, queue_length: 1000}
store: {path: DATA}
"""


class Lost(Exception):
    """What was acknowledged isn't there, or what is there isn't whole."""


class Server:
    def __init__(self, binary, home, cache, data=None, reuse=False):
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            self.port = probe.getsockname()[1]
        self.binary, self.home, self.data, self.process = binary, home, data or f"{home}/data", None
        self.config, self.admin = f"{home}/mortise.yaml", None
        text = CONFIG.replace("REUSE", "reuse_port: true" if reuse else "reuse_port: false").replace("HOME", home)
        text = text.replace("CACHE", cache).replace("PORT", str(self.port)).replace("DATA", self.data)
        with open(self.config, "w") as file:
            file.write(text)

    def start(self):
        """Whether it serves; else it has ended."""
        with open(f"{self.home}/log", "ab") as log:
            self.process = subprocess.Popen([self.binary, "serve", "--config", self.config], stderr=log,
                                            env={**os.environ, "HOME": self.home})
        until = time.monotonic() + 120
        while time.monotonic() < until:
            if self.process.poll() is not None:
                return False
            try:
                if self.ask("GET", "/health/ready")[0] == 200:
                    return True
            except (OSError, http.client.HTTPException):
                time.sleep(0.01)
        raise SystemExit("the server does not start")

    def appoint(self):
        """Somebody administers it from here on."""
        scopes = [word for scope in ("read", "write", "account", "admin") for word in ("--scope", scope)]
        made = self.command("users", "create", "admin@example.com", "--admin")
        code, words = self.command("tokens", "create", "admin", "--user", "admin@example.com", *scopes)
        if made[0] != 0 or code != 0:
            raise SystemExit(f"nobody can be made an administrator: {made[1]} {words}")
        self.admin = words.strip()

    def ask(self, method, path, body=None, timeout=30, key=None):
        status, text = self.read(method, path, body, timeout, key)
        return status, json.loads(text) if text else None

    def read(self, method, path, body=None, timeout=30, key=None, kind="application/json"):
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=timeout)
        headers = {"Accept": kind, **({"Authorization": f"Bearer {key}"} if key else {})}
        try:
            connection.request(method, path, json.dumps(body) if body is not None else None, headers)
            response = connection.getresponse()
            return response.status, response.read()
        finally:
            connection.close()

    def stream(self, path, body):
        """The status, and the data of all events; an error where there is no stream, or it has no end."""
        status, text = self.read("POST", path, body, kind="text/event-stream")
        if status != 200:
            return status, json.loads(text)
        lines = text.decode().splitlines()
        return status, [json.loads(line[6:]) for line in lines if line.startswith("data: {")]

    def kill(self):
        self.process.kill()
        self.process.wait()

    def end(self):
        if self.process and self.process.poll() is None:
            self.process.terminate()
            self.process.wait(60)

    def command(self, *words):
        done = subprocess.run([self.binary, "--config", self.config, *words], capture_output=True, text=True, timeout=600,
                              env={**os.environ, "HOME": self.home})
        return done.returncode, done.stdout + done.stderr

    def log(self):
        with open(f"{self.home}/log", errors="replace") as file:
            return file.read()


def checked(server):
    code, words = server.command("store", "check")
    if code != 0:
        raise Lost(f"mortise store check says: {words}")
