#!/usr/bin/env python3
"""Kills the server at random moments while many write, and looks whether all that it acknowledged is there.

    python3 tests/durability/durability.py BINARY [--kills N] [--short] [--cache DIR] [--seed N]

Callers begin conversations, go on with them and delete them. After each SIGKILL the store is checked, the server started again,
and every conversation read: each turn that was answered must be there, in its order; of the one that was being made there may
be nothing, its beginning, or all of it; what was deleted stays so. Then the same with a disk that runs full (a small tmpfs,
which takes root), with a file whose tail is cut off or garbled, and with a backup that is made meanwhile and restored
elsewhere. Python's standard library suffices. Only processes that were started here are ended. Exit status 1 if anything is
lost.
"""

import argparse
import http.client
import json
import os
import random
import shutil
import socket
import subprocess
import sys
import tempfile
import threading
import time

CALLERS = 8
CONFIG = """
providers: {echo: {}}
default_provider: echo
plugins: {directory: HOME/plugins, cache: CACHE}
logging: {level: warn, file: false}
server: {port: PORT, rate_limit: {enabled: false}, REUSE}
store: {path: DATA}
"""


class Lost(Exception):
    """What was acknowledged isn't there, or what is there isn't whole."""


class Conversation:
    """What a caller knows of one."""

    def __init__(self):
        self.id, self.turns, self.pending, self.deleted, self.deleting = None, [], None, False, False


class Server:
    def __init__(self, binary, home, cache, data=None, reuse=False):
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            self.port = probe.getsockname()[1]
        self.binary, self.home, self.data, self.process = binary, home, data or f"{home}/data", None
        self.config = f"{home}/mortise.yaml"
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

    def ask(self, method, path, body=None, timeout=30):
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=timeout)
        try:
            connection.request(method, path, body=json.dumps(body) if body is not None else None)
            response = connection.getresponse()
            text = response.read()
            return response.status, json.loads(text) if text else None
        finally:
            connection.close()

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


class Load:
    """Callers who write until they are told to stop, or nobody answers any more."""

    def __init__(self, server, seed, words=(1, 60)):
        self.server, self.words, self.stop = server, words, False
        self.conversations, self.refused, self.odd, self.lock = [], [], [], threading.Lock()
        self.random = random.Random(seed)

    def run(self):
        self.stop = False
        self.threads = [threading.Thread(target=self.write, args=(self.random.random(),)) for _ in range(CALLERS)]
        for thread in self.threads:
            thread.start()

    def end(self):
        self.stop = True
        for thread in self.threads:
            thread.join()

    def write(self, seed):
        chance, own = random.Random(seed), []
        while not self.stop:
            live = [one for one in own if one.id and not one.deleting and not one.pending]
            try:
                if live and chance.random() < 0.08:
                    self.delete(chance.choice(live))
                else:
                    if live and chance.random() < 0.75:
                        conversation = chance.choice(live)
                    else:
                        conversation = Conversation()
                        own.append(conversation)
                        with self.lock:
                            self.conversations.append(conversation)
                    text = f"{chance.getrandbits(64):016x} " + "word " * chance.randint(*self.words)
                    self.say(conversation, text.strip())
            except (OSError, http.client.HTTPException):
                # Nobody knows what became of it.
                time.sleep(0.005)

    def say(self, conversation, text):
        conversation.pending = text
        body = {"message": text}
        if conversation.id:
            body["conversation_id"] = conversation.id
        status, answer = self.server.ask("POST", "/api/v1/conversations", body)
        if status == 200:
            conversation.id = answer["conversation_id"]
            conversation.turns.append((text, answer["response"]))
            conversation.pending = None
        else:
            self.refuse(conversation, status, answer)

    def delete(self, conversation):
        conversation.deleting = True
        status, answer = self.server.ask("DELETE", f"/api/v1/conversations/{conversation.id}")
        if status == 204:
            conversation.deleted = True
        else:
            self.refuse(conversation, status, answer)

    def refuse(self, conversation, status, answer):
        # What is refused may have been begun.
        with self.lock:
            (self.refused if status == 503 else self.odd).append((status, answer))
        time.sleep(0.01)

    def acknowledged(self):
        return sum(len(one.turns) for one in self.conversations) + sum(one.deleted for one in self.conversations)

    def verify(self, earlier=False):
        """Reads everything again; `earlier` allows the end of it to be missing, where the disk itself was damaged."""
        for one in self.conversations:
            if not one.id:
                continue
            status, answer = self.server.ask("GET", f"/api/v1/conversations/{one.id}")
            if one.deleted and not earlier:
                if status != 404:
                    raise Lost(f"{one.id} was deleted, and is answered with {status}")
                continue
            if status == 404 and (one.deleting or earlier):
                continue
            if status != 200:
                raise Lost(f"{one.id} with {len(one.turns)} turns is answered with {status} {answer}")
            said = [(message["role"], message["content"], message.get("complete", True)) for message in answer["messages"]]
            if answer["message_count"] != len(said):
                raise Lost(f"{one.id} counts {answer['message_count']} messages, and has {len(said)}")
            expected = [part for asked, answered in one.turns for part in (("user", asked, True), ("assistant", answered, True))]
            if earlier and said == expected[:len(said)]:
                continue
            if said[:len(expected)] != expected:
                raise Lost(f"{one.id} has other messages than those that were acknowledged")
            rest = said[len(expected):]
            if rest and (one.pending is None or rest[0] != ("user", one.pending, True) or len(rest) > 2
                         or any(role != "assistant" for role, _, _ in rest[1:])):
                raise Lost(f"{one.id} has something that nobody wrote: {rest}")
            # From here on that is what it is; nobody goes on with half a turn.
            if one.pending is not None and not earlier:
                if len(rest) == 2 and rest[1][2]:
                    one.turns.append((one.pending, rest[1][1]))
                if len(rest) != 1 and (not rest or rest[1][2]):
                    one.pending = None


def checked(server):
    code, words = server.command("store", "check")
    if code != 0:
        raise Lost(f"mortise store check says: {words}")


def kills(options, home):
    """SIGKILL at random moments."""
    server = Server(options.binary, home, options.cache, reuse=options.shared)
    load = Load(server, options.seed)
    chance, longest = random.Random(options.seed), 0.0
    for number in range(options.kills):
        begun = time.monotonic()
        if not server.start():
            raise Lost(f"the server doesn't start after {number} kills: {server.log()[-2000:]}")
        longest = max(longest, time.monotonic() - begun)
        load.verify()
        load.run()
        time.sleep(chance.uniform(0.02, 0.8))
        server.kill()
        load.end()
        # Who looks needn't be the server.
        if number % 5 == 0:
            checked(server)
    server.start()
    load.verify()
    server.end()
    checked(server)
    if load.odd:
        raise Lost(f"odd answers: {load.odd[:3]}")
    print(f"{options.kills} kills: {load.acknowledged()} acknowledged writes, all there; longest start {longest:.2f} s")


def full(options, home):
    """A disk that runs full, and has room again."""
    data = f"{home}/small"
    os.mkdir(data)
    mounted = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=20m,mode=700", "tmpfs", data], capture_output=True, text=True)
    if mounted.returncode != 0:
        print(f"full disk: skipped, no file system can be mounted here: {mounted.stderr.strip()}")
        return
    server = Server(options.binary, home, options.cache, data=f"{data}/data")
    load = Load(server, options.seed, words=(2000, 8000))
    try:
        if not server.start():
            raise Lost(f"the server doesn't start: {server.log()[-2000:]}")
        load.run()
        until = time.monotonic() + 120
        while len(load.refused) < 40 and time.monotonic() < until:
            time.sleep(0.05)
        load.end()
        if len(load.refused) < 40:
            raise Lost("the disk doesn't run full")
        kept, refused = load.acknowledged(), len(load.refused)
        load.verify()
        status, health = server.ask("GET", "/health")
        if status != 200 or health["checks"]["database"] != "degraded":
            raise Lost(f"/health says {status} {health}")
        if "full" not in server.log():
            raise Lost("the log doesn't say that the disk is full")
        # A crash while it is full.
        server.kill()
        if not server.start():
            raise Lost(f"the server doesn't start on a full disk: {server.log()[-2000:]}")
        load.verify()
        subprocess.run(["mount", "-o", "remount,size=64m", data], check=True)
        time.sleep(2.5)
        load.refused.clear()
        load.words = (1, 60)
        load.run()
        time.sleep(1)
        load.end()
        more = load.acknowledged() - kept
        if load.refused or load.odd or more == 0:
            raise Lost(f"with room again: {more} written, refused {load.refused[:2]}, odd {load.odd[:2]}")
        if server.ask("GET", "/health")[1]["checks"]["database"] != "healthy":
            raise Lost("/health doesn't notice that there is room")
        server.kill()
        if not server.start():
            raise Lost(f"the server doesn't start: {server.log()[-2000:]}")
        load.verify()
        server.end()
        checked(server)
        print(f"full disk: {kept} kept, {refused} refused with 503, none lost; {more} more with room again")
    finally:
        server.end()
        subprocess.run(["umount", data], check=False)


def torn(options, home):
    """A file whose tail is cut off or garbled after a crash: it is served whole, as it was at some moment, or not at all."""
    server = Server(options.binary, home, options.cache)
    load = Load(server, options.seed)
    if not server.start():
        raise Lost(f"the server doesn't start: {server.log()[-2000:]}")
    load.run()
    time.sleep(1.5)
    code, words = server.command("store", "backup", f"{home}/backup")
    if code != 0:
        raise Lost(f"no backup while serving: {words}")
    time.sleep(0.5)
    server.kill()
    load.end()
    file, whole = f"{server.data}/mortise.redb", f"{home}/whole.redb"
    shutil.copy(file, whole)
    size = os.path.getsize(whole)
    chance, refused, served = random.Random(options.seed), 0, 0
    pages = size // 4096
    harms = [("cut", 1), ("cut", 3), ("garble", 1), ("garble", 2), ("zero", 1)]
    harms += [("page", chance.randrange(1, pages)) for _ in range(2 if options.short else 15)]
    for kind, amount in harms:
        shutil.copy(whole, file)
        with open(file, "r+b") as opened:
            if kind == "cut":
                opened.truncate(size - amount * 4096 + chance.randrange(4096))
            elif kind == "page":
                opened.seek(amount * 4096)
                opened.write(chance.randbytes(4096))
            else:
                opened.seek(size - amount * 4096)
                opened.write(chance.randbytes(amount * 4096) if kind == "garble" else bytes(4096))
        before = len(server.log())
        if server.start():
            load.verify(earlier=True)
            server.kill()
            served += 1
        else:
            words = server.log()[before:]
            if server.process.returncode == 0 or "store" not in words or "mortise store check" not in words:
                raise Lost(f"{kind} {amount}: it ends with {server.process.returncode} and says {words[-1000:]}")
            if server.command("store", "check")[0] == 0:
                raise Lost(f"{kind} {amount}: the server refuses what `mortise store check` finds whole")
            refused += 1
    # The cure.
    code, words = server.command("store", "restore", f"{home}/backup")
    if code == 0:
        raise Lost("a restore overwrites what nobody allowed it to")
    code, words = server.command("store", "restore", "--overwrite", f"{home}/backup")
    if code != 0 or not server.start():
        raise Lost(f"the backup can't be restored: {words}")
    load.verify(earlier=True)
    server.end()
    checked(server)
    print(f"torn: {len(harms)} ways to damage the file, {served} served whole, {refused} refused with the cure; a backup made "
          "while serving was restored")


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("binary")
    parser.add_argument("--kills", type=int)
    parser.add_argument("--short", action="store_true")
    parser.add_argument("--cache", help="compiled plugins; their own place otherwise")
    parser.add_argument("--seed", type=int, default=random.randrange(1 << 30))
    options = parser.parse_args()
    options.kills = options.kills or (5 if options.short else 50)
    options.binary, failed = os.path.abspath(options.binary), False
    root = tempfile.mkdtemp(prefix="mortise-durability-")
    options.cache = os.path.abspath(options.cache) if options.cache else f"{root}/cache"
    print(f"seed {options.seed}", flush=True)
    scenes = [("kills", kills, False), ("full", full, False), ("torn", torn, False)]
    if not options.short:
        # As in a takeover, where two processes have it open.
        scenes.insert(1, ("kills, shared", kills, True))
    for name, scene, options.shared in scenes:
        home = f"{root}/{name.replace(', ', '-')}"
        os.mkdir(home)
        try:
            scene(options, home)
        except Lost as error:
            failed = True
            print(f"{name}: {error}")
        sys.stdout.flush()
    if failed:
        print(f"all of it is kept in {root}")
    else:
        shutil.rmtree(root)
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
