import base64
import hashlib
import io
import os

import pytest
from both import all_of, done, failure_of
from google import genai
from fidelity import shows
from harness import HELLO, USED, has

shown = shows("google-genai", "Gemini")
MODEL = "gemini-2.5-flash"
# $0.30 for a million tokens of input, $2.50 of output.
COST = str(11 * 300 + 7 * 2500)


@pytest.fixture(params=["sync", "async"])
def client(request, caller):
    made = genai.Client()
    # Both: the inner one ends with the outer.
    yield made if request.param == "sync" else made.aio
    made.close()


def sent(gateway):
    return gateway.sent("gemini", "x-goog-api-key", "{key}")


@shown("plain")
async def test_a_question_is_answered_metered_and_priced(gateway, caller, client):
    answer = await done(client.models.generate_content(model=MODEL, contents="Say hello"))
    assert answer.text == HELLO
    assert answer.usage_metadata.candidates_token_count == 7
    assert sent(gateway)["path"].endswith(f"/models/{MODEL}:generateContent")
    (row,) = caller.rows(1)
    assert has(row, provider="gemini", model=MODEL, status=200, refusal=None, ending="complete")
    assert has(row, userName=caller.name, usage=USED, evidence="reported", costNanos=COST)


@shown("stream")
async def test_a_stream_is_answered_metered_and_priced(gateway, caller, client):
    stream = await done(client.models.generate_content_stream(model=MODEL, contents="Say hello"))
    chunks = await all_of(stream)
    assert len(chunks) > 1
    assert "".join(chunk.text for chunk in chunks) == HELLO
    assert sent(gateway)["path"].endswith(":streamGenerateContent?alt=sse")
    (row,) = caller.rows(1)
    assert has(row, provider="gemini", model=MODEL, status=200, usage=USED, costNanos=COST)


@shown("error")
async def test_what_it_refuses_arrives_as_its_own_error(gateway, caller, client):
    error = await failure_of(client.models.generate_content, model=MODEL, contents="Fail with 400")
    assert type(error) is genai.errors.ClientError
    assert (error.code, error.message) == (400, "The stand-in fails with 400.")
    sent(gateway)
    (row,) = caller.rows(1)
    assert has(row, provider="gemini", model=MODEL, status=400, refusal=None, usage=None, costNanos=None)


@pytest.mark.parametrize(
    "content",
    [b'{"key": "1", "request": {}}\n{"key": "2", "request": {}}\n', b'{"model": "a", "model": "b"}', b'{"a": ['],
    ids=["a batch", "a name twice", "cut short"],
)
async def test_a_file_of_json_is_a_file_and_not_a_request(gateway, caller, client, content):
    config = {"mime_type": "application/jsonl"}
    file = await done(client.files.upload(file=io.BytesIO(content), config=config))
    assert file.size_bytes == len(content)
    # As the SDK sends it, and the reason why nobody may go by it.
    assert sent(gateway)["headers"]["content-type"] == "application/json"
    for row in caller.rows(2):
        assert has(row, status=200, refusal=None, model=None)


@shown("upload")
async def test_a_file_goes_up_piece_by_piece_without_a_key(gateway, caller, client):
    # The SDK sends pieces of 8 MiB, to the link that it is given and with no key.
    content = os.urandom(8 * 1024 * 1024 + 1)
    file = await done(client.files.upload(file=io.BytesIO(content), config={"mime_type": "text/plain"}))
    assert file.size_bytes == len(content)
    assert base64.b64decode(file.sha256_hash) == hashlib.sha256(content).digest()
    assert sent(gateway)["headers"]["x-goog-upload-command"] == "upload, finalize"
    for call in gateway.tell("calls gemini")[-3:]:
        # Ours, and nothing of it for Google.
        assert "lmk_capability" not in call["path"]
        assert call["headers"]["x-goog-api-key"] == gateway.real_keys["gemini"]
    assert (await done(client.files.get(name=file.name))).size_bytes == len(content)
    start, first, last, got = caller.rows(4)
    for row in (start, first, last):
        assert has(row, provider="gemini", method="POST", userName=caller.name, status=200, refusal=None)
    assert (first["bytesIn"], last["bytesIn"]) == (8 * 1024 * 1024, 1)
    assert has(got, method="GET", status=200)
