// A server of a test's own: the program at MORTISE_PROGRAM with a configuration, in an environment where nothing else is set.

import { spawn } from "node:child_process";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";

const PROGRAM = process.env.MORTISE_PROGRAM;

export async function serve(configure) {
  const home = await mkdtemp(join(tmpdir(), "mortise-"));
  const key = join(home, "key");
  await writeFile(key, "sim-key");
  const config = join(home, "config.yaml");
  // JSON is YAML.
  await writeFile(config, JSON.stringify(configure(`file:${key}`)));
  const cache = process.env.MORTISE_PLUGINS__CACHE;
  const env = { HOME: home, MORTISE_LOGGING__FILE: "false", ...(cache && { MORTISE_PLUGINS__CACHE: cache }) };
  const child = spawn(PROGRAM, ["serve", "--config", config, "--port", "0"], { env, stdio: ["ignore", "ignore", "pipe"] });
  const ended = new Promise((resolve) => child.once("close", resolve));
  let log = "";
  const url = await new Promise((resolve, reject) => {
    child.once("error", reject);
    child.once("close", () => reject(new Error(`the server doesn't start: ${log}`)));
    createInterface({ input: child.stderr }).on("line", (line) => {
      log += `${line}\n`;
      const match = /listening on (http:\S+)/.exec(line);
      if (match) resolve(match[1]);
    });
  });
  const stop = async () => {
    child.kill();
    await ended;
    await rm(home, { recursive: true, force: true });
  };
  return { url, stop };
}
