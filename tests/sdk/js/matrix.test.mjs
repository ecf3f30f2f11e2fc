// Every pair of a caller's dialect and a provider's plugin, with the SDKs for JavaScript.

import assert from "node:assert/strict";
import test from "node:test";
import { anthropic, callers } from "./callers.mjs";

const providers = {
  openai: "gpt-5-mini",
  responses: "gpt-5-mini",
  azure: "gpt-5-mini",
  dated: "gpt-5-mini",
  anthropic: "claude-haiku-4-5",
  gemini: "gemini-3-pro-preview",
  ollama: "qwen3:8b",
  bedrock: "anthropic.claude-haiku-4-5",
};
const CITY = 'Zürich 🦀 "quoted" \\ and\nmore';
const THOUGHT = "First, naïve 日本語 thoughts 🦀 — then more.";
const tool = (name, properties) => ({ name, description: "Tells.", parameters: { type: "object", properties } });
const WEATHER = tool("get_weather", { city: { type: "string" }, days: { type: "integer" } });
const TIME = tool("get_time", { zone: { type: "string" } });
const PNG = {
  kind: "image/png",
  data: Buffer.from("iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==", "base64"),
};

for (const caller of callers) {
  for (const [provider, name] of Object.entries(providers)) {
    const model = `${provider}/${name}`;
    for (const stream of [false, true]) {
      const pair = `${caller.name} → ${provider}, ${stream ? "streamed" : "plain"}`;
      const ask = (turns, options) => caller.ask(model, turns, { stream, ...options });

      test(`text and usage: ${pair}`, async () => {
        const words = 'Hallo wörld, 日本語 🦀 "quotes" \\ back\tslash data: [DONE] end';
        const { text, reason, usage } = await ask(caller.user(`say: ${words}`));
        assert.deepEqual({ text, reason, usage }, { text: words, reason: "stop", usage: [1234, 77] });
      });

      test(`tools in several turns: ${pair}`, async () => {
        const tools = [WEATHER, TIME];
        const turns = caller.user("tools: aloud");
        const asked = await ask(turns, { tools });
        assert.equal(asked.reason, "tools");
        assert.equal(asked.text, "I will look. ");
        assert.deepEqual(asked.calls.map(({ name, input }) => [name, input]), [
          ["get_weather", { city: CITY, days: 42 }],
          ["get_time", { zone: CITY }],
        ]);
        turns.push(...asked.turn, ...caller.results([asked.calls[0], "rain"], [asked.calls[1], "noon"]));
        const told = await ask(turns, { tools });
        assert.deepEqual([told.text, told.reason], ["results: get_weather=rain; get_time=noon", "stop"]);
        turns.push(...told.turn, ...caller.user("say: bye"));
        assert.equal((await ask(turns, { tools })).text, "bye");
      });

      test(`an image: ${pair}`, async () => {
        assert.equal((await ask(caller.user("image", PNG))).text, `<image/png ${PNG.data.length}>`);
      });

      test(`thoughts: ${pair}`, async () => {
        const turns = caller.user("think tools");
        const asked = await ask(turns, { tools: [TIME], think: true });
        assert.deepEqual([asked.thinking, asked.reason], [THOUGHT, "tools"]);
        turns.push(...asked.turn, ...caller.results([asked.calls[0], "late"]));
        assert.equal((await ask(turns, { tools: [TIME], think: true })).text, "results: get_time=late");
      });

      test(`failures: ${pair}`, async () => {
        await assert.rejects(ask(caller.user("error 429 7")), (error) => {
          assert(error instanceof caller.sdk.RateLimitError, String(error));
          assert.equal(error.headers.get("retry-after"), "7");
          return /scripted failure 429/.test(error.message);
        });
        await assert.rejects(ask(caller.user("error 400")), caller.sdk.BadRequestError);
        await assert.rejects(ask(caller.user("midway")), (error) => {
          assert(error instanceof caller.failure, String(error));
          return /the machine fell over/.test(error.message);
        });
      });
    }

    if (caller.name === "messages") {
      test(`tokens: ${provider}`, async () => {
        const { input_tokens } = await anthropic.messages.countTokens({ model, messages: caller.user("count me") });
        if (["anthropic", "gemini", "bedrock"].includes(provider)) assert.equal(input_tokens, 4321);
        else assert(input_tokens > 0 && input_tokens < 4321);
      });
    }
  }
}
