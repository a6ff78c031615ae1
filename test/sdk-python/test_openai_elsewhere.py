"""OpenAI's SDK against others who speak its language, and against Azure, for which it has a client of its own."""

import os
from dataclasses import dataclass

import openai
import pytest
from both import all_of, done, failure_of
from harness import HELLO, USED, has, says


@dataclass
class Provider:
    id: str
    # The variables of the exports.
    key: str
    base: str
    # What the provider is sent, and what the log says.
    path: str
    endpoint: str
    model: str
    cost: str


PROVIDERS = [
    Provider(
        "anyscale",
        "ANYSCALE_API_KEY",
        "ANYSCALE_BASE_URL",
        "/v1/chat/completions",
        "/chat/completions",
        "my-model",
        # A service of one's own, billed by the hour.
        "0",
    ),
    Provider(
        "deepseek",
        "DEEPSEEK_API_KEY",
        "DEEPSEEK_API_BASE",
        "/v1/chat/completions",
        "/v1/chat/completions",
        # Of those whose price is the same at any time of day.
        "deepseek-v3.2-exp",
        # $0.27 for a million tokens of input, $0.41 of output.
        str(11 * 270 + 7 * 410),
    ),
    Provider(
        "openrouter",
        "OPENROUTER_API_KEY",
        "OPENROUTER_BASE_URL",
        "/api/v1/chat/completions",
        "/chat/completions",
        "openai/gpt-4o-mini",
        # What its answer says, and not the 5,850 of the price list.
        "6100",
    ),
]


@pytest.fixture(params=PROVIDERS, ids=lambda provider: provider.id)
def provider(request):
    return request.param


@pytest.fixture(params=[openai.OpenAI, openai.AsyncOpenAI], ids=["sync", "async"])
def client(request, caller, provider):
    return request.param(api_key=os.environ[provider.key], base_url=os.environ[provider.base])


async def test_a_chat_is_answered_metered_and_priced(gateway, caller, provider, client):
    answer = await done(client.chat.completions.create(model=provider.model, messages=says("Say hello")))
    assert answer.choices[0].message.content == HELLO
    assert answer.usage.completion_tokens == 7
    assert gateway.sent(provider.id)["path"] == provider.path
    (row,) = caller.rows(1)
    assert has(row, provider=provider.id, endpoint=provider.endpoint, model=provider.model, status=200)
    assert has(row, userName=caller.name, usage=USED, evidence="reported", costNanos=provider.cost)


async def test_a_stream_is_answered_metered_and_priced(gateway, caller, provider, client):
    options = {"stream": True, "stream_options": {"include_usage": True}}
    create = client.chat.completions.create
    chunks = await all_of(await done(create(model=provider.model, messages=says("Say hello"), **options)))
    assert "".join(chunk.choices[0].delta.content or "" for chunk in chunks if chunk.choices) == HELLO
    assert chunks[-1].usage.total_tokens == 18
    gateway.sent(provider.id)
    (row,) = caller.rows(1)
    assert has(row, provider=provider.id, model=provider.model, status=200)
    assert has(row, usage=USED, costNanos=provider.cost)


async def test_what_it_refuses_arrives_as_its_own_error(gateway, caller, provider, client):
    error = await failure_of(
        client.chat.completions.create, model=provider.model, messages=says("Fail with 400")
    )
    assert type(error) is openai.BadRequestError
    assert "The stand-in fails with 400." in error.message
    gateway.sent(provider.id)
    (row,) = caller.rows(1)
    assert has(row, provider=provider.id, model=provider.model, status=400, refusal=None)
    assert has(row, usage=None, costNanos=None)


class TestAzure:
    # The deployment has its model's name.
    MODEL = "gpt-4o-mini"
    CHAT = f"/openai/deployments/{MODEL}/chat/completions"
    # $0.15 for a million tokens of input, $0.60 of output.
    COST = str(11 * 150 + 7 * 600)

    @pytest.fixture(params=[openai.AzureOpenAI, openai.AsyncAzureOpenAI], ids=["sync", "async"])
    def client(self, request, caller, monkeypatch):
        # Which version of its API a program was written for, only its author knows.
        monkeypatch.setenv("OPENAI_API_VERSION", "2024-10-21")
        return request.param()

    def sent(self, gateway):
        return gateway.sent("azure", "api-key", "{key}")

    async def test_a_chat_is_answered_metered_and_priced(self, gateway, caller, client):
        answer = await done(client.chat.completions.create(model=self.MODEL, messages=says("Say hello")))
        assert answer.choices[0].message.content == HELLO
        assert self.sent(gateway)["path"] == f"{self.CHAT}?api-version=2024-10-21"
        (row,) = caller.rows(1)
        assert has(row, provider="azure", endpoint=self.CHAT, model=self.MODEL, status=200)
        assert has(row, userName=caller.name, usage=USED, evidence="reported", costNanos=self.COST)

    async def test_a_stream_is_answered_metered_and_priced(self, gateway, caller, client):
        options = {"stream": True, "stream_options": {"include_usage": True}}
        create = client.chat.completions.create
        chunks = await all_of(await done(create(model=self.MODEL, messages=says("Say hello"), **options)))
        assert "".join(chunk.choices[0].delta.content or "" for chunk in chunks if chunk.choices) == HELLO
        self.sent(gateway)
        (row,) = caller.rows(1)
        assert has(row, provider="azure", model=self.MODEL, status=200, usage=USED, costNanos=self.COST)

    async def test_a_recording_is_metered_and_priced_by_the_model_that_its_form_names(
        self, gateway, caller, client
    ):
        recording = ("speech.wav", os.urandom(60_000))
        answer = await done(client.audio.transcriptions.create(model="whisper-1", file=recording))
        assert answer.text == "The beach was a popular spot."
        self.sent(gateway)
        (row,) = caller.rows(1)
        assert has(row, endpoint="/openai/deployments/whisper-1/audio/transcriptions", model="whisper-1")
        # $0.006 a minute; it bills whole seconds.
        assert has(row, status=200, usage={"milliseconds": 9000}, costNanos="900000")

    async def test_what_it_refuses_arrives_as_its_own_error(self, gateway, caller, client):
        error = await failure_of(
            client.chat.completions.create, model=self.MODEL, messages=says("Fail with 400")
        )
        assert type(error) is openai.BadRequestError
        assert error.code == "unknown_parameter"
        self.sent(gateway)
        (row,) = caller.rows(1)
        assert has(row, provider="azure", model=self.MODEL, status=400, refusal=None, usage=None)
