"""Google's and Anthropic's clients on Vertex AI, with nothing of Google's but the file that the gateway writes."""

import pytest
from anthropic import AnthropicVertex, AsyncAnthropicVertex, BadRequestError
from both import all_of, done, entered, failure_of
from google import genai
from fidelity import shows
from harness import HELLO, USED, has, says

with_google_genai = shows("google-genai", "Vertex AI")
with_anthropic = shows("anthropic", "Vertex AI")
PROJECT, LOCATION = "a-project", "us-central1"
PUBLISHERS = f"projects/{PROJECT}/locations/{LOCATION}/publishers"


@pytest.fixture
def shell(gateway, caller, tmp_path, monkeypatch):
    """The caller's exports, and what docs/guides/sdks.md says to do about Google's file."""
    file = tmp_path / "llamakey_adc.json"
    file.write_text(gateway.adc_of(caller.secret), encoding="utf-8")
    monkeypatch.setenv("GOOGLE_APPLICATION_CREDENTIALS", str(file))
    monkeypatch.setenv("GOOGLE_CLOUD_PROJECT", PROJECT)
    monkeypatch.setenv("GOOGLE_CLOUD_LOCATION", LOCATION)
    return caller


class TestGemini:
    MODEL = "gemini-2.5-flash"
    ENDPOINT = f"/v1beta1/{PUBLISHERS}/google/models/{MODEL}"
    # $0.30 for a million tokens of input, $2.50 of output.
    COST = str(11 * 300 + 7 * 2500)

    @pytest.fixture(params=["sync", "async"])
    def client(self, request, shell):
        made = genai.Client(vertexai=True, project=PROJECT, location=LOCATION)
        # Both: the inner one ends with the outer.
        yield made if request.param == "sync" else made.aio
        made.close()

    @with_google_genai("plain")
    async def test_a_question_is_answered_metered_and_priced(self, gateway, caller, client):
        answer = await done(client.models.generate_content(model=self.MODEL, contents="Say hello"))
        assert answer.text == HELLO
        assert gateway.sent("vertex")["path"] == f"{self.ENDPOINT}:generateContent"
        (row,) = caller.rows(1)
        assert has(row, provider="vertex", endpoint=f"{self.ENDPOINT}:generateContent", model=self.MODEL)
        assert has(row, userName=caller.name, status=200, usage=USED, evidence="reported", costNanos=self.COST)

    @with_google_genai("stream")
    async def test_a_stream_is_answered_metered_and_priced(self, gateway, caller, client):
        stream = await done(client.models.generate_content_stream(model=self.MODEL, contents="Say hello"))
        chunks = await all_of(stream)
        assert len(chunks) > 1
        assert "".join(chunk.text for chunk in chunks) == HELLO
        assert gateway.sent("vertex")["path"] == f"{self.ENDPOINT}:streamGenerateContent?alt=sse"
        (row,) = caller.rows(1)
        assert has(row, provider="vertex", model=self.MODEL, status=200, usage=USED, costNanos=self.COST)

    @with_google_genai("error")
    async def test_what_it_refuses_arrives_as_its_own_error(self, gateway, caller, client):
        error = await failure_of(client.models.generate_content, model=self.MODEL, contents="Fail with 400")
        assert type(error) is genai.errors.ClientError
        assert (error.code, error.message) == (400, "The stand-in fails with 400.")
        gateway.sent("vertex")
        (row,) = caller.rows(1)
        assert has(row, provider="vertex", model=self.MODEL, status=400, refusal=None, usage=None)

    async def test_a_revoked_key_is_refused_with_its_token(self, gateway, caller, client):
        await done(client.models.generate_content(model=self.MODEL, contents="Say hello"))
        gateway.revoke(caller.key_id)
        error = await failure_of(client.models.generate_content, model=self.MODEL, contents="Say hello")
        assert (type(error), error.code) == (genai.errors.ClientError, 401)
        assert error.status == "UNAUTHENTICATED"
        rows = caller.rows(2, or_more=True)
        assert (rows[0]["refusal"], {row["refusal"] for row in rows[1:]}) == (None, {"invalid_key"})


class TestExpressMode:
    """With a key alone, Google's SDK names neither project nor location: the gateway's own service account does."""

    MODEL = "gemini-2.5-flash"
    PATH = f"/v1beta1/projects/{PROJECT}/locations/global/publishers/google/models/{MODEL}:generateContent"

    # The second flag makes the SDK ask at Gemini's address.
    @pytest.fixture(params=["in code", "by environment"])
    def client(self, request, caller, monkeypatch):
        monkeypatch.setenv("GOOGLE_API_KEY", caller.secret)
        monkeypatch.delenv("GEMINI_API_KEY")
        if request.param == "by environment":
            monkeypatch.setenv("GOOGLE_GENAI_USE_VERTEXAI", "true")
        with genai.Client() if request.param == "by environment" else genai.Client(vertexai=True) as made:
            yield made

    def test_a_question_goes_to_the_gateways_own_project(self, gateway, caller, client):
        answer = client.models.generate_content(model=self.MODEL, contents="Say hello")
        assert answer.text == HELLO
        assert gateway.sent("vertex")["path"] == self.PATH
        (row,) = caller.rows(1)
        assert has(row, provider="vertex", endpoint=self.PATH, model=self.MODEL, status=200, usage=USED)


class TestAnthropic:
    MODEL = "claude-sonnet-4-5@20250929"
    ENDPOINT = f"/v1/{PUBLISHERS}/anthropic/models/{MODEL}"
    # $3 for a million tokens of input, $15 of output, and a tenth more in a region.
    COST = str(11 * 3300 + 7 * 16500)

    @pytest.fixture(params=[AnthropicVertex, AsyncAnthropicVertex], ids=["sync", "async"])
    def client(self, request, shell):
        return request.param(region=LOCATION, project_id=PROJECT)

    def question(self, content):
        return {"model": self.MODEL, "max_tokens": 64, "messages": says(content)}

    @with_anthropic("plain")
    async def test_a_message_is_answered_metered_and_priced(self, gateway, caller, client):
        answer = await done(client.messages.create(**self.question("Say hello")))
        assert answer.content[0].text == HELLO
        assert gateway.sent("vertex")["path"] == f"{self.ENDPOINT}:rawPredict"
        (row,) = caller.rows(1)
        assert has(row, provider="vertex", endpoint=f"{self.ENDPOINT}:rawPredict", model=self.MODEL)
        assert has(row, userName=caller.name, status=200, usage=USED, evidence="reported", costNanos=self.COST)

    @with_anthropic("stream")
    async def test_a_stream_is_answered_metered_and_priced(self, gateway, caller, client):
        async with entered(client.messages.stream(**self.question("Say hello"))) as stream:
            pieces = await all_of(stream.text_stream)
        assert len(pieces) > 1
        assert "".join(pieces) == HELLO
        assert gateway.sent("vertex")["path"] == f"{self.ENDPOINT}:streamRawPredict"
        (row,) = caller.rows(1)
        assert has(row, provider="vertex", model=self.MODEL, status=200, usage=USED, costNanos=self.COST)

    @with_anthropic("error")
    async def test_what_it_refuses_arrives_as_its_own_error(self, gateway, caller, client):
        error = await failure_of(client.messages.create, **self.question("Fail with 400"))
        assert type(error) is BadRequestError
        assert "The stand-in fails with 400." in error.message
        gateway.sent("vertex")
        (row,) = caller.rows(1)
        assert has(row, provider="vertex", model=self.MODEL, status=400, refusal=None, usage=None)
