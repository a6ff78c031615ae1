"""Its SDK reads no base address from the environment: the client is made as docs/guides/sdks.md says."""

import hashlib
import os

import pytest
from both import all_of, done, failure_of
from fidelity import shows
from harness import HELLO, USED, has, says
from mistralai.client import Mistral
from mistralai.client.errors import SDKError

shown = shows("mistralai", "Mistral")
MODEL = "mistral-small-latest"


class Ways:
    """One client for both: its asynchronous methods have names of their own."""

    def __init__(self, suffix):
        client = Mistral(api_key=os.environ["LMK_KEY"], server_url=f"{os.environ['LMK_URL']}/mistral")
        self.complete = getattr(client.chat, "complete" + suffix)
        self.stream = getattr(client.chat, "stream" + suffix)
        self.upload = getattr(client.files, "upload" + suffix)
        self.read = getattr(client.ocr, "process" + suffix)
        self.transcribe = getattr(client.audio.transcriptions, "complete" + suffix)


@pytest.fixture(params=["", "_async"], ids=["sync", "async"])
def client(request, caller):
    return Ways(request.param)


@shown("plain")
async def test_a_chat_is_answered_metered_and_priced(gateway, caller, client):
    answer = await done(client.complete(model=MODEL, messages=says("Say hello")))
    assert answer.choices[0].message.content == HELLO
    assert answer.usage.completion_tokens == 7
    assert gateway.sent("mistral")["path"] == "/v1/chat/completions"
    (row,) = caller.rows(1)
    assert has(row, provider="mistral", endpoint="/v1/chat/completions", model=MODEL, status=200)
    # $0.10 for a million tokens of input, $0.30 of output.
    assert has(row, userName=caller.name, usage=USED, evidence="reported", costNanos=str(11 * 150 + 7 * 600))


@shown("stream")
async def test_a_stream_is_answered_metered_and_priced(gateway, caller, client):
    events = await all_of(await done(client.stream(model=MODEL, messages=says("Say hello"))))
    assert "".join(event.data.choices[0].delta.content for event in events) == "Hello!"
    assert events[-1].data.usage.total_tokens == 20
    gateway.sent("mistral")
    (row,) = caller.rows(1)
    usage = {"input_tokens": 9, "cache_read_tokens": 4, "output_tokens": 7}
    assert has(row, provider="mistral", model=MODEL, status=200, usage=usage)


@shown("upload")
async def test_an_uploaded_file_arrives_byte_for_byte(gateway, caller, client):
    content = os.urandom(60_000)
    file = {"file_name": "données.pdf", "content": content}
    made = await done(client.upload(file=file, purpose="ocr"))
    assert (made.size_bytes, made.signature) == (len(content), hashlib.sha256(content).hexdigest())
    gateway.sent("mistral")
    (row,) = caller.rows(1)
    assert has(row, provider="mistral", method="POST", endpoint="/v1/files", status=200, refusal=None)


async def test_a_scanned_document_is_metered_and_priced_by_its_pages(gateway, caller, client):
    document = {"type": "document_url", "document_url": "https://example.com/a.pdf"}
    answer = await done(client.read(model="mistral-ocr-2512", document=document))
    assert answer.usage_info.pages_processed == 29
    gateway.sent("mistral")
    (row,) = caller.rows(1)
    assert has(row, endpoint="/v1/ocr", model="mistral-ocr-2512", status=200)
    # $2 for a thousand pages.
    assert has(row, usage={"pages": 29}, costNanos=str(29 * 2_000_000))


async def test_a_recording_is_metered_by_the_model_that_its_form_names(gateway, caller, client):
    file = {"file_name": "a.wav", "content": os.urandom(1000)}
    answer = await done(client.transcribe(model="voxtral-mini-latest", file=file))
    assert answer.text == "The sun was setting slowly."
    gateway.sent("mistral")
    (row,) = caller.rows(1)
    assert has(row, endpoint="/v1/audio/transcriptions", model="voxtral-mini-latest", status=200)
    assert has(row, usage={"input_tokens": 5, "output_tokens": 24, "milliseconds": 5000})


@shown("error")
async def test_what_it_refuses_arrives_as_its_own_error(gateway, caller, client):
    error = await failure_of(client.complete, model=MODEL, messages=says("Fail with 400"))
    assert type(error) is SDKError
    assert error.status_code == 400
    assert "The stand-in fails with 400." in error.body
    gateway.sent("mistral")
    (row,) = caller.rows(1)
    assert has(row, provider="mistral", model=MODEL, status=400, refusal=None, usage=None, costNanos=None)
