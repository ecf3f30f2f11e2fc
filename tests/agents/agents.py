"""Coding agents' own clients against a running server: `agents.py PROGRAM CLAUDE CODEX`.

Each is told to run a command by way of each provider, in front of the simulated vendors of tests/vendors. The command has to
have run, and what it printed has to be in the answer. Nothing leaves this machine, and nobody's home directory is used.
"""

import contextlib
import os
import pathlib
import re
import subprocess
import sys
import tempfile

HERE = pathlib.Path(__file__).resolve().parent
VENDORS = HERE.parent / "vendors"
MODELS = [
    "anthropic/claude-haiku-4-5",
    "openai/gpt-5-mini",
    "responses/gpt-5-mini",
    "azure/gpt-5-mini",
    "gemini/gemini-3-pro-preview",
    "ollama/qwen3:8b",
    "bedrock/anthropic.claude-haiku-4-5",
]
COMMAND = "printf naïve > ran.txt; echo it-ran"
LIMIT = 120
PATH = "/usr/local/bin:/usr/bin:/bin"


@contextlib.contextmanager
def started(command, log, **more):
    """The process, and what it said when it listened."""
    with open(log, "wb") as out:
        process = subprocess.Popen(command, stdout=out, stderr=subprocess.STDOUT, stdin=subprocess.DEVNULL, **more)
    try:
        for _ in range(LIMIT * 20):
            if match := re.search(r"listening on (?:http://127\.0\.0\.1:)?(\d+)", pathlib.Path(log).read_text()):
                yield int(match[1])
                return
            with contextlib.suppress(subprocess.TimeoutExpired):
                process.wait(0.05)
                break
        sys.exit(f"agents: {command[0]} doesn't start: {pathlib.Path(log).read_text()}")
    finally:
        process.terminate()
        process.wait()


def run(command, home, work, **environment):
    environment |= {"HOME": str(home), "PATH": PATH}
    done = subprocess.run(
        command, cwd=work, env=environment, stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=LIMIT, check=False
    )
    return done.returncode, done.stdout, done.stderr


def claude(program, base, model, home, work):
    words = f'call: Bash {{"command": "{COMMAND}", "description": "Writes a file"}}'
    quiet = ["CLAUDE_CODE_DISABLE_NONESSENTIAL_TRAFFIC", "DISABLE_TELEMETRY", "DISABLE_AUTOUPDATER", "DISABLE_ERROR_REPORTING"]
    return run(
        [program, "-p", words, "--model", model, "--allowedTools", "Bash"],
        home,
        work,
        ANTHROPIC_BASE_URL=f"{base}/anthropic",
        ANTHROPIC_API_KEY="not-needed",
        ANTHROPIC_SMALL_FAST_MODEL=model,
        **dict.fromkeys(quiet, "1"),
    )


def codex(program, base, model, home, work):
    words = f'call: exec_command {{"cmd": "{COMMAND}"}}'
    folder = home / ".codex"
    folder.mkdir()
    (folder / "config.toml").write_text(
        f'model = "{model}"\n'
        'model_provider = "mortise"\n'
        "check_for_update_on_startup = false\n"
        "analytics = {enabled = false}\n"
        "[model_providers.mortise]\n"
        'name = "Mortise"\n'
        f'base_url = "{base}/openai/v1"\n'
        'env_key = "MORTISE_KEY"\n'
        'wire_api = "responses"\n'
        "request_max_retries = 0\n"
        "stream_max_retries = 0\n"
    )
    flags = ["--skip-git-repo-check", "--dangerously-bypass-approvals-and-sandbox", "--color", "never"]
    return run([program, "exec", *flags, words], home, work, MORTISE_KEY="not-needed")


def turn(agent, program, base, model, folder):
    """What is wrong with it, if something is."""
    home, work = pathlib.Path(folder, "home"), pathlib.Path(folder, "work")
    home.mkdir()
    work.mkdir()
    try:
        code, out, error = agent(program, base, model, home, work)
    except subprocess.TimeoutExpired:
        return f"it doesn't end within {LIMIT} s"
    file = work / "ran.txt"
    if not file.exists() or file.read_text() != "naïve":
        return f"the command has not run: {out}\n{error}"
    if code != 0 or "results: " not in out or "it-ran" not in out:
        return f"the answer is not shown ({code}): {out}\n{error}"
    return None


def main():
    program, *clients = [os.path.abspath(path) for path in sys.argv[1:]]
    failures = 0
    # Not below /tmp, where Codex doesn't like to live.
    with tempfile.TemporaryDirectory(dir=pathlib.Path(clients[0]).parent) as folder:
        keys = pathlib.Path(folder, "keys")
        keys.mkdir()
        (keys / "key").write_text("sim-key")
        (keys / "pair").write_text("SIMAKID:sim-secret/with+signs")
        own = {"HOME": folder, "PATH": PATH, "PYTHONDONTWRITEBYTECODE": "1"}
        with started([sys.executable, str(VENDORS)], f"{folder}/vendors.log", env=own) as port:
            text = (VENDORS / "providers.yaml").read_text()
            text = text.replace("URL", f"http://127.0.0.1:{port}").replace("KEYS", str(keys))
            pathlib.Path(folder, "config.yaml").write_text(text)
            command = [program, "serve", "--config", f"{folder}/config.yaml", "--port", "0"]
            with started(command, f"{folder}/server.log", env=own) as port:
                for agent, client in zip((claude, codex), clients):
                    for model in MODELS:
                        with tempfile.TemporaryDirectory(dir=folder) as place:
                            wrong = turn(agent, client, f"http://127.0.0.1:{port}", model, place)
                        print(f"{agent.__name__} → {model}: {wrong or 'well'}", flush=True)
                        failures += wrong is not None
    sys.exit(1 if failures else 0)


if __name__ == "__main__":
    main()
