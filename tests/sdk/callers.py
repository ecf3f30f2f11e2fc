"""The vendors' own SDKs, unmodified, behind one face: what a test asks is asked in each dialect, what it gets is told in one."""

import base64
import json
import os
from dataclasses import dataclass, field

from anthropic import Anthropic
from openai import APIError, OpenAI

ROOT = os.environ.get("MORTISE_ROOT", "http://localhost:8080")
LIMIT = 20
BUDGET = 2048


@dataclass
class Call:
    id: str
    name: str
    arguments: dict


@dataclass
class Answer:
    text: str
    reason: str
    thinking: str = ""
    calls: list = field(default_factory=list)
    # All of the prompt, of that cached, all of the answer, of that thought.
    usage: tuple = ()
    model: str = None
    # Which stop sequence, where the dialect tells.
    stop: str = None
    # What the next request has to repeat, as the SDK gave it.
    turn: list = field(default_factory=list)


class Chat:
    """OpenAI's chat completions."""

    name = "chat"

    def __init__(self):
        self.client = OpenAI(base_url=f"{ROOT}/openai/v1", api_key="not-needed", max_retries=0, timeout=LIMIT)

    def user(self, text, *images):
        parts = [{"type": "image_url", "image_url": {"url": url(image)}} for image in images]
        return [{"role": "user", "content": parts + [{"type": "text", "text": text}] if parts else text}]

    def results(self, *results):
        return [{"role": "tool", "tool_call_id": call.id, "content": text} for call, text in results]

    def options(self, tools=(), choice=None, parallel=None, system=None, stop=None, schema=None, think=False, **more):
        if tools:
            more["tools"] = [{"type": "function", "function": tool} for tool in tools]
        if choice:
            named = {"type": "function", "function": {"name": choice}}
            more["tool_choice"] = {"auto": "auto", "any": "required", "none": "none"}.get(choice, named)
        if parallel is not None:
            more["parallel_tool_calls"] = parallel
        if stop:
            more["stop"] = stop
        if schema:
            shape = {"name": "shape", "schema": schema, "strict": True}
            more["response_format"] = {"type": "json_schema", "json_schema": shape}
        if think:
            more["reasoning_effort"] = "medium"
        if "max_tokens" in more:
            more["max_completion_tokens"] = more.pop("max_tokens")
        self.system = [{"role": "system", "content": system}] if system else []
        return more

    def ask(self, model, turns, stream=False, client=None, **options):
        client, more = client or self.client, self.options(**options)
        asked = {"model": model, "messages": self.system + turns, **more}
        if not stream:
            response = client.chat.completions.create(**asked)
            [choice] = response.choices
            message = choice.message.model_dump(exclude_none=True)
            return self.told(message, choice.finish_reason, response)
        chunks = client.chat.completions.create(**asked, stream=True, stream_options={"include_usage": True})
        message, reason, last = {"role": None, "content": "", "tool_calls": []}, None, None
        for chunk in chunks:
            last = chunk
            for choice in chunk.choices:
                assert reason is None, "a choice after its finish_reason"
                self.gather(message, choice.delta.model_dump(exclude_none=True))
                reason = choice.finish_reason
        assert message["role"] == "assistant" and last.choices == []
        if not message["tool_calls"]:
            del message["tool_calls"]
        return self.told(message, reason, last)

    def gather(self, message, delta):
        assert delta.get("role") in (None, "assistant")
        for name, value in delta.items():
            if name == "tool_calls":
                for part in value:
                    index = part.pop("index")
                    if index == len(message["tool_calls"]):
                        message["tool_calls"].append({"function": {"arguments": ""}})
                    call, function = message["tool_calls"][index], part.pop("function", {})
                    call["function"]["arguments"] += function.pop("arguments", None) or ""
                    call["function"] |= function
                    call |= part
            elif isinstance(value, list):
                message[name] = message.get(name, []) + value
            elif name in ("content", "reasoning_content", "refusal"):
                message[name] = message.get(name, "") + value
            else:
                message[name] = value

    def told(self, message, reason, response):
        calls = [
            Call(call["id"], call["function"]["name"], json.loads(call["function"]["arguments"]))
            for call in message.get("tool_calls", [])
        ]
        assert reason in ("stop", "length", "tool_calls", "content_filter"), reason
        usage = response.usage
        spent = (
            usage.prompt_tokens,
            usage.prompt_tokens_details.cached_tokens if usage.prompt_tokens_details else 0,
            usage.completion_tokens,
            usage.completion_tokens_details.reasoning_tokens if usage.completion_tokens_details else 0,
        )
        assert usage.total_tokens == usage.prompt_tokens + usage.completion_tokens
        text = message.get("content") or message.get("refusal") or ""
        named = {"tool_calls": "tools", "content_filter": "refusal"}.get(reason, reason)
        thinking = message.get("reasoning_content", "")
        return Answer(text, named, thinking, calls, spent, response.model, turn=[message])


class Responses:
    """OpenAI's responses, without anything stored."""

    name = "responses"

    def __init__(self):
        self.client = OpenAI(base_url=f"{ROOT}/openai/v1", api_key="not-needed", max_retries=0, timeout=LIMIT)

    def user(self, text, *images):
        parts = [{"type": "input_image", "image_url": url(image), "detail": "auto"} for image in images]
        return [{"role": "user", "content": parts + [{"type": "input_text", "text": text}]}]

    def results(self, *results):
        return [{"type": "function_call_output", "call_id": call.id, "output": text} for call, text in results]

    def options(self, tools=(), choice=None, parallel=None, system=None, stop=None, schema=None, think=False, **more):
        assert not stop, "the dialect has no stop sequences"
        more |= {"store": False, "include": ["reasoning.encrypted_content"]}
        if tools:
            more["tools"] = [{"type": "function", "strict": False, **tool} for tool in tools]
        if choice:
            named = {"type": "function", "name": choice}
            more["tool_choice"] = {"auto": "auto", "any": "required", "none": "none"}.get(choice, named)
        if parallel is not None:
            more["parallel_tool_calls"] = parallel
        if system:
            more["instructions"] = system
        if schema:
            more["text"] = {"format": {"type": "json_schema", "name": "shape", "schema": schema, "strict": True}}
        if think:
            more["reasoning"] = {"effort": "medium", "summary": "auto"}
        if "max_tokens" in more:
            more["max_output_tokens"] = more.pop("max_tokens")
        return more

    def ask(self, model, turns, stream=False, client=None, **options):
        client = client or self.client
        asked = {"model": model, "input": turns, **self.options(**options)}
        if not stream:
            return self.told(client.responses.create(**asked))
        texts, numbers, last = {}, [], None
        for event in client.responses.create(**asked, stream=True):
            numbers.append(event.sequence_number)
            last = event
            if event.type.endswith(("output_text.delta", "arguments.delta", "summary_text.delta", "reasoning_text.delta")):
                texts[event.item_id] = texts.get(event.item_id, "") + event.delta
        assert numbers == sorted(set(numbers))
        if last.type == "response.failed":
            # The SDK for Python hands this over as an event like others.
            raise APIError(last.response.error.message, None, body=None)
        assert last.type in ("response.completed", "response.incomplete"), last
        for item in last.response.output:
            match item.type:
                case "message":
                    assert texts.get(item.id, "") == "".join(getattr(part, "text", "") for part in item.content)
                case "function_call":
                    assert texts[item.id] == item.arguments
        return self.told(last.response)

    def told(self, response):
        answer = Answer("", "stop", model=response.model)
        for item in response.output:
            if item.type == "message":
                answer.text += "".join(getattr(part, "text", None) or getattr(part, "refusal", "") for part in item.content)
            elif item.type == "function_call":
                answer.calls.append(Call(item.call_id, item.name, json.loads(item.arguments)))
                answer.reason = "tools"
            elif item.type == "reasoning":
                answer.thinking += "".join(part.text for part in [*item.summary, *(item.content or [])])
        if response.status == "incomplete":
            reasons = {"max_output_tokens": "length", "content_filter": "refusal"}
            answer.reason = reasons[response.incomplete_details.reason]
        else:
            assert response.status == "completed"
        usage = response.usage
        assert usage.total_tokens == usage.input_tokens + usage.output_tokens
        cached, thought = usage.input_tokens_details.cached_tokens, usage.output_tokens_details.reasoning_tokens
        answer.usage = (usage.input_tokens, cached, usage.output_tokens, thought)
        answer.turn = [item.model_dump(exclude_none=True) for item in response.output]
        return answer


class Messages:
    """Anthropic's messages."""

    name = "messages"

    def __init__(self):
        self.client = Anthropic(base_url=f"{ROOT}/anthropic", api_key="not-needed", max_retries=0, timeout=LIMIT)

    def user(self, text, *images):
        parts = [{"type": "image", "source": source(image)} for image in images]
        return [{"role": "user", "content": parts + [{"type": "text", "text": text}]}]

    def results(self, *results):
        blocks = [{"type": "tool_result", "tool_use_id": call.id, "content": text} for call, text in results]
        return [{"role": "user", "content": blocks}]

    def options(self, tools=(), choice=None, parallel=None, stop=None, schema=None, think=False, **more):
        more.setdefault("max_tokens", 4096)
        if tools:
            renamed = [{**tool, "input_schema": tool["parameters"]} for tool in tools]
            more["tools"] = [{name: value for name, value in tool.items() if name != "parameters"} for tool in renamed]
        if choice or parallel is not None:
            named = {"type": choice} if choice in ("auto", "any", "none") else {"type": "tool", "name": choice}
            more["tool_choice"] = {"type": "auto"} if choice is None else named
        if parallel is not None:
            more["tool_choice"]["disable_parallel_tool_use"] = not parallel
        if stop:
            more["stop_sequences"] = stop
        if schema:
            more["output_config"] = {"format": {"type": "json_schema", "schema": schema}}
        if think:
            more["thinking"] = {"type": "enabled", "budget_tokens": BUDGET}
        # The SDK has dropped what the vendor's newest models no longer take.
        spare = {name: more.pop(name) for name in ("temperature", "top_p", "top_k") if name in more}
        if spare:
            more["extra_body"] = spare
        return more

    def ask(self, model, turns, stream=False, client=None, **options):
        client = client or self.client
        asked = {"model": model, "messages": turns, **self.options(**options)}
        if not stream:
            return self.told(client.messages.create(**asked))
        with client.messages.stream(**asked) as events:
            kinds = [event.type for event in events]
            message = events.get_final_message()
        assert kinds[0] == "message_start" and kinds[-1] == "message_stop" and kinds.count("message_delta") == 1
        return self.told(message)

    def told(self, message):
        assert (message.type, message.role) == ("message", "assistant")
        answer = Answer("", message.stop_reason, model=message.model, stop=message.stop_sequence)
        for block in message.content:
            if block.type == "text":
                assert block.text
                answer.text += block.text
            elif block.type == "thinking":
                assert block.thinking
                answer.thinking += block.thinking
            elif block.type == "tool_use":
                answer.calls.append(Call(block.id, block.name, block.input))
        names = {"end_turn": "stop", "max_tokens": "length", "tool_use": "tools"}
        answer.reason = names.get(message.stop_reason, message.stop_reason)
        usage = message.usage
        cached, written = usage.cache_read_input_tokens or 0, usage.cache_creation_input_tokens or 0
        thought = usage.output_tokens_details.thinking_tokens if usage.output_tokens_details else None
        answer.usage = (usage.input_tokens + cached + written, cached, usage.output_tokens, thought)
        content = [block.model_dump(exclude_none=True) for block in message.content]
        # What the SDK parses beside the vendor's own fields doesn't go back.
        answer.turn = [{"role": "assistant", "content": [{k: v for k, v in b.items() if k != "parsed_output"} for b in content]}]
        return answer


def url(image):
    kind, data = image
    return f"data:{kind};base64,{base64.b64encode(data).decode()}"


def source(image):
    kind, data = image
    return {"type": "base64", "media_type": kind, "data": base64.b64encode(data).decode()}


CALLERS = {caller.name: caller for caller in (Chat, Responses, Messages)}
