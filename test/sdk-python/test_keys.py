"""What becomes of keys that are wrong, revoked, or of another installation: in both SDKs, sync and async."""

import threading
import time
from dataclasses import dataclass
from typing import Any

import anthropic
import openai
import pytest
from both import all_of, done, failure_of
from harness import has, set_environment


@dataclass
class Sdk:
    provider: str
    module: Any
    client: Any

    def ask(self, content="Say hello", **options):
        """A question in this SDK, with its own retries: an error that invites them would show."""
        messages = [{"role": "user", "content": content}]
        if self.provider == "openai":
            return self.client().chat.completions.create(model="gpt-standin", messages=messages, **options)
        return self.client().messages.create(
            model="claude-standin-1", max_tokens=64, messages=messages, **options
        )


SDKS = [
    Sdk("openai", openai, openai.OpenAI),
    Sdk("openai", openai, openai.AsyncOpenAI),
    Sdk("anthropic", anthropic, anthropic.Anthropic),
    Sdk("anthropic", anthropic, anthropic.AsyncAnthropic),
]


@pytest.fixture(params=SDKS, ids=lambda sdk: sdk.client.__name__)
def sdk(request):
    return request.param


def use_key(gateway, monkeypatch, caller, key):
    """This caller's exports with another key in their place."""
    exports = gateway.exports_of(caller.secret)
    set_environment(
        monkeypatch, {name: key if value == caller.secret else value for name, value in exports.items()}
    )


async def refused(gateway, sdk):
    """Asserts that the SDK gives up at once, with AuthenticationError. Returns the log row."""
    before = gateway.refused("invalid_key")
    error = await failure_of(sdk.ask)
    assert type(error) is sdk.module.AuthenticationError
    assert error.status_code == 401
    headers = error.response.headers
    assert headers["x-llamakey-refusal"] == "invalid_key"
    assert error.request_id == headers["x-llamakey-request-id"]
    row = gateway.row(headers["x-llamakey-request-id"])
    assert has(row, provider=sdk.provider, status=401, refusal="invalid_key", ending="refused")
    time.sleep(0.2)
    assert gateway.refused("invalid_key") == before + 1
    return row


async def test_a_key_that_is_none_of_ours_is_refused_once_and_goes_no_further(
    gateway, monkeypatch, caller, sdk
):
    use_key(gateway, monkeypatch, caller, "sk-no-key-of-this-gateway-0123456789")
    seen = len(gateway.tell(f"calls {sdk.provider}"))
    assert has(await refused(gateway, sdk), keyId=None, userName=None)
    assert len(gateway.tell(f"calls {sdk.provider}")) == seen


async def test_a_key_with_a_typing_error_is_refused(gateway, monkeypatch, caller, sdk):
    last = "1" if caller.secret.endswith("0") else "0"
    use_key(gateway, monkeypatch, caller, caller.secret[:-1] + last)
    assert has(await refused(gateway, sdk), keyId=None, userName=None)


async def test_another_installations_key_is_refused(gateway, monkeypatch, caller, sdk):
    use_key(gateway, monkeypatch, caller, gateway.foreign_key)
    assert has(await refused(gateway, sdk), keyId=None, userName=None)


async def test_a_key_that_stands_in_further_headers_stays_here(gateway, monkeypatch, caller, sdk):
    headers = f"api-key: {caller.secret}\nx-goog-api-key: sk-{caller.secret}"
    monkeypatch.setenv(f"{sdk.provider.upper()}_CUSTOM_HEADERS", headers)
    # With this, Anthropic's client sends the key in two headers of its own.
    monkeypatch.setenv("ANTHROPIC_AUTH_TOKEN", caller.secret)
    # The stand-in refuses whatever carries another credential beside the real key.
    await done(sdk.ask())
    (row,) = caller.rows(1)
    assert has(row, keyId=caller.key_id, status=200, refusal=None)
    sent = gateway.tell(f"calls {sdk.provider}")[-1]["headers"]
    assert not {"api-key", "x-goog-api-key"} & sent.keys()
    # Exactly one credential goes to the provider.
    assert len({"authorization", "x-api-key"} & sent.keys()) == 1


async def test_a_revoked_key_is_refused_within_a_second_and_no_other_is(
    gateway, monkeypatch, new_caller, sdk
):
    other, caller = new_caller(), new_caller()
    await done(sdk.ask())
    gateway.revoke(caller.key_id)
    time.sleep(1)
    await refused(gateway, sdk)
    set_environment(monkeypatch, gateway.exports_of(other.secret))
    await done(sdk.ask())
    (row,) = other.rows(1)
    assert has(row, keyId=other.key_id, status=200, refusal=None)


async def test_whose_revoked_key_was_tried_is_in_the_log(gateway, caller, sdk):
    gateway.revoke(caller.key_id)
    assert has(await refused(gateway, sdk), keyId=caller.key_id, userName=caller.name)


async def test_a_stream_that_is_open_when_its_key_is_revoked_is_cut(gateway, caller, sdk):
    stream = await done(sdk.ask("Speak at length", stream=True))
    # In a thread: the synchronous client reads in this one.
    threading.Timer(0.3, gateway.revoke, [caller.key_id]).start()
    assert isinstance(await failure_of(all_of, stream), Exception)
    (row,) = caller.rows(1)
    assert has(row, status=200, refusal=None, ending="cut")
