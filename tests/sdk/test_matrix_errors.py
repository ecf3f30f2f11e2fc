"""How vendors fail, through every pair: the right exception, the right status, the vendor's words; never a false good end."""

import anthropic
import openai
import pytest
from matrix import BROKEN, PROVIDERS, each, every, model

# What the vendor answers: what the caller's SDK raises, and its status. Errors of the operator's key are none of the caller's.
STATUSES = {
    400: ("BadRequestError", 400),
    404: ("NotFoundError", 404),
    429: ("RateLimitError", 429),
    500: ("InternalServerError", 502),
}


def sdk(caller):
    return anthropic if caller.name == "messages" else openai


def failed(caller, provider, words, stream, **options):
    with pytest.raises(sdk(caller).APIError) as caught:
        caller.ask(model(provider), caller.user(words), stream, **options)
    return caught.value


@pytest.mark.parametrize("status", STATUSES)
@every
def test_a_refusal_keeps_its_kind_and_its_words(caller, provider, stream, status):
    error = failed(caller, provider, f"error {status}", stream)
    kind, told = STATUSES[status]
    assert isinstance(error, getattr(sdk(caller), kind)), error
    assert error.status_code == told, error
    assert f"scripted failure {status}" in error.message


@every
def test_how_long_to_wait_is_passed_on(caller, provider, stream):
    error = failed(caller, provider, "error 429 7", stream)
    assert error.status_code == 429
    assert error.response.headers["retry-after"] == "7"


@every
def test_an_overload_is_told_in_the_callers_terms(caller, provider, stream):
    # Anthropic has a status of its own.
    status = 529 if provider == "anthropic" else 503
    error = failed(caller, provider, f"error {status}", stream)
    assert error.status_code == (529 if caller.name == "messages" else 503)
    assert f"scripted failure {status}" in error.message


@pytest.mark.parametrize("breaks", ["midway", "cut"])
@every
def test_half_an_answer_is_no_answer(caller, provider, stream, breaks):
    error = failed(caller, provider, breaks, stream)
    if breaks == "midway":
        assert BROKEN in str(error)


@every
def test_a_server_that_waits_no_longer_says_so(caller, stream, provider):
    if provider == "dated":
        provider = "azure"
    words = "slow first" if stream else "slow head"
    hasty = f"hasty-{provider}/{PROVIDERS[provider]}"
    with pytest.raises(sdk(caller).APIStatusError) as caught:
        caller.ask(hasty, caller.user(words), stream)
    assert caught.value.status_code == 504


@each
def test_a_stream_that_stalls_is_ended_with_an_error(caller, provider):
    if provider == "dated":
        provider = "azure"
    with pytest.raises(sdk(caller).APIError):
        caller.ask(f"hasty-{provider}/{PROVIDERS[provider]}", caller.user("slow idle"), True)


@each
def test_a_caller_that_waits_no_longer_leaves_the_server_well(caller, provider):
    hasty = caller.client.with_options(timeout=0.3)
    with pytest.raises(sdk(caller).APITimeoutError):
        caller.ask(model(provider), caller.user("slow head"), False, client=hasty)
    assert caller.ask(model(provider), caller.user("say: still here")).text == "still here"
