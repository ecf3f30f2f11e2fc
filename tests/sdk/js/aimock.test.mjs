// The same SDKs in front of a simulator of vendors that nobody here wrote.

import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { LLMock } from "@copilotkit/aimock";
import { ask, callers } from "./callers.mjs";
import { serve } from "./server.mjs";

const WORDS = "Grüße, 日本語 🦀 and \"quotes\".";
const TOOL = { name: "get_weather", description: "Tells.", parameters: { type: "object", properties: { city: { type: "string" } } } };
const models = {
  openai: "gpt-4o-mini",
  responses: "gpt-4o-mini",
  anthropic: "claude-haiku-4-5",
  gemini: "gemini-2.5-flash",
  ollama: "llama3.2",
};
const mock = new LLMock({ port: 0 });
let server;

before(async () => {
  mock.on({ userMessage: "hello" }, { content: WORDS });
  mock.on({ userMessage: "weather", hasToolResult: false }, { toolCalls: [{ name: TOOL.name, arguments: '{"city":"Zürich"}' }] });
  mock.on({ userMessage: "weather", hasToolResult: true }, { content: "It rains." });
  mock.on({ userMessage: "fail" }, { error: { message: "not so fast", type: "rate_limit_error" }, status: 429 });
  await mock.start();
  server = await serve((api_key) => ({
    routing: { retries: 0 },
    providers: {
      openai: { base_url: `${mock.url}/v1`, api_key },
      responses: { plugin: "openai", base_url: `${mock.url}/v1`, api_key, settings: { api: "responses" } },
      anthropic: { base_url: `${mock.url}/v1`, api_key },
      gemini: { base_url: `${mock.url}/v1beta`, api_key },
      ollama: { base_url: mock.url },
    },
  }));
  ask(server.url);
});

after(async () => {
  await server?.stop();
  await mock.stop();
});

for (const caller of callers) {
  for (const [provider, name] of Object.entries(models)) {
    for (const stream of [false, true]) {
      test(`aimock: ${caller.name} → ${provider}, ${stream ? "streamed" : "plain"}`, async () => {
        const model = `${provider}/${name}`;
        const hello = await caller.ask(model, caller.user("hello"), { stream });
        assert.deepEqual([hello.text, hello.reason], [WORDS, "stop"]);

        const turns = caller.user("what is the weather?");
        const asked = await caller.ask(model, turns, { stream, tools: [TOOL] });
        assert.equal(asked.reason, "tools");
        assert.deepEqual(asked.calls.map(({ name, input }) => [name, input]), [[TOOL.name, { city: "Zürich" }]]);
        turns.push(...asked.turn, ...caller.results([asked.calls[0], "rain"]));
        assert.equal((await caller.ask(model, turns, { stream, tools: [TOOL] })).text, "It rains.");

        await assert.rejects(caller.ask(model, caller.user("fail"), { stream }), (error) => {
          assert(error instanceof caller.sdk.RateLimitError, String(error));
          return /not so fast/.test(error.message);
        });
      });
    }
  }
}
