// The vendors' own SDKs for JavaScript, unmodified, behind one face: asked in each dialect, told in one.

import assert from "node:assert/strict";
import Anthropic, { AnthropicError } from "@anthropic-ai/sdk";
import OpenAI, { OpenAIError } from "openai";

const options = { apiKey: "not-needed", maxRetries: 0, timeout: 20_000 };
export let openai;
export let anthropic;

// Which server is asked from now on.
export function ask(root) {
  openai = new OpenAI({ ...options, baseURL: `${root}/openai/v1` });
  anthropic = new Anthropic({ ...options, baseURL: `${root}/anthropic` });
}
ask(process.env.MORTISE_ROOT ?? "http://localhost:8080");

const dataUrl = (image) => `data:${image.kind};base64,${image.data.toString("base64")}`;

const chat = {
  name: "chat",
  sdk: OpenAI,
  failure: OpenAIError,
  user: (text, image) => [{
    role: "user",
    content: image ? [{ type: "image_url", image_url: { url: dataUrl(image) } }, { type: "text", text }] : text,
  }],
  results: (...pairs) => pairs.map(([call, content]) => ({ role: "tool", tool_call_id: call.id, content })),
  async ask(model, messages, { stream, tools, think } = {}) {
    const asked = {
      model,
      messages,
      ...(tools && { tools: tools.map((tool) => ({ type: "function", function: tool })) }),
      ...(think && { reasoning_effort: "medium" }),
    };
    const completion = stream ? await streamed(asked) : await openai.chat.completions.create(asked);
    const { message, finish_reason } = completion.choices[0];
    return {
      text: message.content ?? "",
      thinking: message.reasoning_content ?? "",
      reason: { tool_calls: "tools" }[finish_reason] ?? finish_reason,
      calls: (message.tool_calls ?? []).map(({ id, function: { name, arguments: text } }) => ({ id, name, input: JSON.parse(text) })),
      // Which a vendor may not tell.
      usage: [completion.usage?.prompt_tokens, completion.usage?.completion_tokens],
      turn: [bare(message)],
    };
  },
};

// The helper puts the pieces together and checks their order, but keeps only the last piece of a field that it doesn't know.
async function streamed(asked) {
  let thinking = "";
  const stream = openai.chat.completions.stream({ ...asked, stream_options: { include_usage: true } });
  stream.on("chunk", (chunk) => (thinking += chunk.choices[0]?.delta.reasoning_content ?? ""));
  const completion = await stream.finalChatCompletion();
  if (thinking) completion.choices[0].message.reasoning_content = thinking;
  return completion;
}

const responses = {
  name: "responses",
  sdk: OpenAI,
  failure: OpenAIError,
  user: (text, image) => [{
    role: "user",
    content: [
      ...(image ? [{ type: "input_image", image_url: dataUrl(image), detail: "auto" }] : []),
      { type: "input_text", text },
    ],
  }],
  results: (...pairs) => pairs.map(([call, output]) => ({ type: "function_call_output", call_id: call.id, output })),
  async ask(model, input, { stream, tools, think } = {}) {
    const asked = {
      model,
      input,
      store: false,
      include: ["reasoning.encrypted_content"],
      ...(tools && { tools: tools.map((tool) => ({ type: "function", strict: false, ...tool })) }),
      ...(think && { reasoning: { effort: "medium", summary: "auto" } }),
    };
    const response = stream ? await openai.responses.stream(asked).finalResponse() : await openai.responses.create(asked);
    const of = (type) => response.output.filter((item) => item.type === type);
    // The SDK hands a failed answer over like others.
    if (response.status === "failed") throw new OpenAIError(response.error.message);
    assert.equal(response.status, "completed");
    return {
      text: response.output_text,
      thinking: of("reasoning").flatMap((item) => item.summary.map((part) => part.text)).join(""),
      reason: of("function_call").length ? "tools" : "stop",
      calls: of("function_call").map((item) => ({ id: item.call_id, name: item.name, input: JSON.parse(item.arguments) })),
      usage: [response.usage?.input_tokens, response.usage?.output_tokens],
      turn: response.output.map(bare),
    };
  },
};

const messages = {
  name: "messages",
  sdk: Anthropic,
  failure: AnthropicError,
  user: (text, image) => [{
    role: "user",
    content: [
      ...(image ? [{ type: "image", source: { type: "base64", media_type: image.kind, data: image.data.toString("base64") } }] : []),
      { type: "text", text },
    ],
  }],
  results: (...pairs) => [{
    role: "user",
    content: pairs.map(([call, content]) => ({ type: "tool_result", tool_use_id: call.id, content })),
  }],
  async ask(model, turns, { stream, tools, think } = {}) {
    const asked = {
      model,
      messages: turns,
      max_tokens: 4096,
      ...(tools && { tools: tools.map(({ parameters, ...tool }) => ({ ...tool, input_schema: parameters })) }),
      ...(think && { thinking: { type: "enabled", budget_tokens: 2048 } }),
    };
    const message = stream ? await anthropic.messages.stream(asked).finalMessage() : await anthropic.messages.create(asked);
    const of = (type) => message.content.filter((block) => block.type === type);
    const { input_tokens, cache_read_input_tokens, cache_creation_input_tokens, output_tokens } = message.usage;
    return {
      text: of("text").map((block) => block.text).join(""),
      thinking: of("thinking").map((block) => block.thinking).join(""),
      reason: { end_turn: "stop", tool_use: "tools" }[message.stop_reason] ?? message.stop_reason,
      calls: of("tool_use").map(({ id, name, input }) => ({ id, name, input })),
      usage: [input_tokens + (cache_read_input_tokens ?? 0) + (cache_creation_input_tokens ?? 0), output_tokens],
      turn: [{ role: "assistant", content: message.content.map(bare) }],
    };
  },
};

// What the helpers add to what the vendor said doesn't go back to it.
function bare({ parsed, parsed_arguments, parsed_output, ...rest }) {
  for (const call of rest.tool_calls ?? []) delete call.function.parsed_arguments;
  if (Array.isArray(rest.content)) rest.content = rest.content.map(bare);
  return Object.fromEntries(Object.entries(rest).filter(([, value]) => value !== null && value !== undefined));
}

export const callers = [chat, responses, messages];
