"""A server that is started, asked, killed and started again on the same data; and what all programs here have in common."""

import argparse
import contextlib
import http.client
import json
import os
import random
import shutil
import socket
import subprocess
import sys
import tempfile
import time

# For agents: the model is a script, and the terminal may start a shell.
SCRIPTED = """
providers: {openai: {base_url: "http://127.0.0.1:UPSTREAM/v1", api_key: "file:HOME/key"}}
plugins:
  directory: HOME/plugins
  cache: CACHE
  grants: {terminal: {programs: [sh], workspace: read-write}}
logging: {level: warn, file: false}
server: {port: PORT, rate_limit: {enabled: false}, reuse_port: SHARED}
store: {path: DATA}
"""


class Lost(Exception):
    """What was acknowledged isn't there, or what is there isn't whole."""


class Server:
    """`settings` is its configuration; what stands in capitals in it is filled in."""

    # All that there are, so that none outlives its scene.
    made = []

    def __init__(self, options, home, settings, data=None, **values):
        self.made.append(self)
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            self.port = probe.getsockname()[1]
        self.binary, self.home, self.data, self.process = options.binary, home, data or f"{home}/data", None
        self.config, self.settings = f"{home}/mortise.yaml", settings
        self.values = {"HOME": home, "CACHE": options.cache, "PORT": self.port, "DATA": self.data, **values}
        self.configure(options.shared)

    def configure(self, shared):
        """Whether another process may be at work on the same data."""
        text = self.settings
        for name, value in {**self.values, "SHARED": str(shared).lower()}.items():
            text = text.replace(name, str(value))
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

    def started(self, when=""):
        if not self.start():
            raise Lost(f"the server doesn't start{when}: {self.log()[-2000:]}")

    @contextlib.contextmanager
    def asking(self, method, path, body=None, key=None, timeout=30, accept="*/*"):
        """The answer, as it comes."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=timeout)
        try:
            headers = {"Accept": accept, **({"Authorization": f"Bearer {key}"} if key else {})}
            connection.request(method, path, body=json.dumps(body) if body is not None else None, headers=headers)
            yield connection.getresponse()
        finally:
            connection.close()

    def ask(self, method, path, body=None, key=None, timeout=30):
        with self.asking(method, path, body, key, timeout) as response:
            text = response.read()
            return response.status, json.loads(text) if text else None

    def kill(self):
        if self.process:
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


def parser(about):
    made = argparse.ArgumentParser(description=about.split("\n")[0])
    made.add_argument("binary")
    made.add_argument("--short", action="store_true")
    made.add_argument("--cache", help="compiled plugins; their own place otherwise")
    made.add_argument("--seed", type=int, default=random.randrange(1 << 30))
    return made


def play(name, options, scenes):
    """Plays scenes, each in a directory of its own, which is kept where one fails; tells the exit status. A scene is its
    name, what it does, and whether the data is shared."""
    options.binary, failed = os.path.abspath(options.binary), False
    root = tempfile.mkdtemp(prefix=f"mortise-{name}-")
    options.cache = os.path.abspath(options.cache) if options.cache else f"{root}/cache"
    print(f"seed {options.seed}", flush=True)
    for title, scene, options.shared in scenes:
        home = f"{root}/{title.replace(', ', '-')}"
        os.mkdir(home)
        try:
            scene(options, home)
        except Lost as error:
            failed = True
            print(f"{title}: {error}")
        finally:
            while Server.made:
                Server.made.pop().kill()
        sys.stdout.flush()
    if failed:
        print(f"all of it is kept in {root}")
    else:
        shutil.rmtree(root)
    return 1 if failed else 0
