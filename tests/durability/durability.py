#!/usr/bin/env python3
"""Kills the server at random moments while many write all sorts of things, and looks whether all that it acknowledged is
there.

    python3 tests/durability/durability.py BINARY [--kills N] [--short] [--cache DIR] [--seed N]

Callers converse, work in sessions (questions, tools, files, forks, archives, tasks), and make and take away templates,
users, logins and keys. After each SIGKILL the server is started again and everything is compared: what was acknowledged must
be there, with its content; of what was on its way there may be nothing or all of it, and of an answer its beginning; what
was deleted is gone everywhere. Nothing may be left over: no record, file or count of what isn't there. Then the same
with a disk that runs full (a small tmpfs, which takes root), where half of it is deleted and writing goes on, with a
file whose tail is cut off or garbled, and with a backup that is made meanwhile and restored elsewhere. Python's
standard library and libzstd suffice. Only processes that were started here are ended. Exit status 1 if anything is
lost.
"""

import os
import random
import shutil
import subprocess
import sys
import time

sys.dont_write_bytecode = True
from accounts import Key, User  # noqa: E402
from kept import Response, Tasks, Template  # noqa: E402
from leftovers import Leftovers  # noqa: E402
from load import Load  # noqa: E402
from server import Lost, Server, checked, parser, play  # noqa: E402
from sessions import Session  # noqa: E402
from talks import Talk  # noqa: E402

SETTINGS = """
providers: {echo: {}}
default_provider: echo
plugins: {directory: HOME/plugins, cache: CACHE}
logging: {level: warn, file: false}
server:
  port: PORT
  rate_limit: {enabled: false}
  reuse_port: SHARED
  auth: {enabled: true, registration: open, attempts_per_address: 1000000/1m, passwords: {memory: 1MiB, passes: 1}}
sessions: {wait_for_disk: true}
store: {path: DATA}
"""


class Wordy(Session):
    """Without tools, whose files have no room either when the disk is full."""

    tools = False


# What is written, and how often.
MIXED = {Talk: 25, Session: 45, Template: 6, User: 10, Key: 10, Tasks: 8, Response: 6}
# Where the disk runs full, and where the records go back and the files don't.
WORDY, RECORDS = {Talk: 30, Wordy: 15, Template: 8, Key: 10}, {Talk: 30, Template: 8, User: 10, Key: 10, Response: 8}


def begin(options, home, kinds, words=(1, 60), again=0.8, **more):
    """A server, an administrator's key for it, and callers, who came in."""
    server = Server(options, home, SETTINGS, **more)
    code, key = server.command("tokens", "create", "root", "--scope", "read", "--scope", "write", "--scope", "admin")
    if code != 0:
        raise Lost(f"no key is made: {key}")
    load = Load(server, key.strip(), options.seed, kinds, words, again)
    server.started()
    load.enter()
    return server, load


def kills(options, home):
    """SIGKILL at random moments."""
    server, load = begin(options, home, MIXED)
    chance, longest, leftovers = random.Random(options.seed), 0.0, Leftovers()
    for number in range(options.kills):
        load.run()
        time.sleep(chance.uniform(0.02, 0.8))
        server.kill()
        load.end()
        # Who looks needn't be the server.
        if number % 5 == 0:
            checked(server)
        begun = time.monotonic()
        server.started(f" after {number + 1} kills")
        longest = max(longest, time.monotonic() - begun)
        load.verify()
        # Where another process may be at work, nobody can tell what is left from what is being made.
        if not options.shared:
            leftovers.gather(server)
    server.kill()
    server.configure(shared=False)
    server.started()
    load.verify(all_of_it=True)
    leftovers.gather(server)
    server.end()
    checked(server)
    print(f"{options.kills} kills: {load.acknowledged()} acknowledged writes, all there ({load.by_kind()}); longest start "
          f"{longest:.2f} s")
    leftovers.none()


def full(options, home):
    """A disk that runs full, and has room again."""
    data = f"{home}/small"
    os.mkdir(data)
    size = "size=12m,mode=700" if options.short else "size=20m,mode=700"
    mounted = subprocess.run(["mount", "-t", "tmpfs", "-o", size, "tmpfs", data], capture_output=True, text=True)
    if mounted.returncode != 0:
        print(f"full disk: skipped, no file system can be mounted here: {mounted.stderr.strip()}")
        return
    server = None
    try:
        # Whoever goes on says all of it again, which fills no disk.
        server, load = begin(options, home, WORDY, words=(2000, 8000), again=0.3, data=f"{data}/data")
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
        # Nothing more can be written, but what isn't needed can be deleted.
        deleted = load.delete_half()
        stayed = [what for what, *_ in load.refused if what.startswith("DELETE ")]
        if stayed or deleted == 0:
            raise Lost(f"of {deleted} nothing could be deleted, or not all: {stayed[:3]}")
        load.verify()
        # Which makes room.
        before, load.words, until = load.acknowledged(), (1, 60), time.monotonic() + 30
        load.run()
        while load.acknowledged() == before and time.monotonic() < until:
            time.sleep(0.05)
        load.end()
        if load.acknowledged() == before:
            raise Lost("with half of it deleted nothing can be written")
        load.verify()
        # A crash while it is full.
        server.kill()
        server.started(" on a full disk")
        load.verify()
        subprocess.run(["mount", "-o", "remount,size=64m", data], check=True)
        time.sleep(2.5)
        load.refused.clear()
        load.run()
        time.sleep(0.3 if options.short else 1)
        load.end()
        more = load.acknowledged() - kept
        if load.refused or load.odd or more == 0:
            raise Lost(f"with room again: {more} written, refused {load.refused[:2]}, odd {load.odd[:2]}")
        if server.ask("GET", "/health")[1]["checks"]["database"] != "healthy":
            raise Lost("/health doesn't notice that there is room")
        server.kill()
        server.started()
        load.verify()
        server.end()
        checked(server)
        print(f"full disk: {kept} kept, {refused} refused with 503, none lost, {deleted} deleted while it was; {more} more with "
              "room again")
    finally:
        if server:
            server.end()
        subprocess.run(["umount", data], check=False)


def torn(options, home):
    """A file whose tail is cut off or garbled after a crash: it is served whole, as it was at some moment, or not at all."""
    server, load = begin(options, home, RECORDS)
    load.run()
    time.sleep(0.5 if options.short else 1.5)
    code, words = server.command("store", "backup", f"{home}/backup")
    if code != 0:
        raise Lost(f"no backup while serving: {words}")
    time.sleep(0.2 if options.short else 0.5)
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
    print(f"torn: {len(harms)} ways to damage the file, {served} served whole, {refused} refused with the cure; a backup "
          "made while serving was restored")


def main():
    made = parser(__doc__)
    made.add_argument("--kills", type=int)
    options = made.parse_args()
    options.kills = options.kills or (3 if options.short else 50)
    scenes = [("kills", kills, False), ("full", full, False), ("torn", torn, False)]
    if not options.short:
        # As in a takeover, where two processes have it open.
        scenes.insert(1, ("kills, shared", kills, True))
    return play("durability", options, scenes)


if __name__ == "__main__":
    sys.exit(main())
