import os

import groq
import pytest
from both import all_of, done, failure_of
from fidelity import shows
from harness import HELLO, USED, has, says

shown = shows("groq", "Groq")
MODEL = "llama-3.1-8b-instant"


@pytest.fixture(params=[groq.Groq, groq.AsyncGroq], ids=["sync", "async"])
def client(request, caller):
    return request.param()


@shown("plain")
async def test_a_chat_is_answered_metered_and_priced(gateway, caller, client):
    answer = await done(client.chat.completions.create(model=MODEL, messages=says("Say hello")))
    assert answer.choices[0].message.content == HELLO
    assert answer.usage.completion_tokens == 7
    assert gateway.sent("groq")["path"] == "/openai/v1/chat/completions"
    (row,) = caller.rows(1)
    assert has(row, provider="groq", endpoint="/chat/completions", model=MODEL, status=200, ending="complete")
    # $0.05 for a million tokens of input, $0.08 of output.
    assert has(row, userName=caller.name, usage=USED, evidence="reported", costNanos=str(11 * 50 + 7 * 80))


@shown("stream")
async def test_a_stream_is_metered_without_being_asked_to_tell_its_usage(gateway, caller, client):
    model = "llama-3.3-70b-versatile"
    create = client.chat.completions.create
    chunks = await all_of(await done(create(model=model, messages=says("Say hello"), stream=True)))
    assert "".join(chunk.choices[0].delta.content or "" for chunk in chunks) == "Fast"
    assert chunks[-1].x_groq.usage.total_tokens == 401
    gateway.sent("groq")
    (row,) = caller.rows(1)
    assert has(row, provider="groq", model=model, status=200)
    # $0.59 for a million tokens of input, $0.79 of output.
    assert has(row, usage={"input_tokens": 24, "output_tokens": 377}, costNanos=str(24 * 590 + 377 * 790))


@shown("upload")
async def test_a_recording_is_metered_and_priced_by_its_length(gateway, caller, client):
    recording = ("speech.wav", os.urandom(60_000))
    answer = await done(client.audio.transcriptions.create(model="whisper-large-v3", file=recording))
    assert answer.text == "The beach was a popular spot."
    gateway.sent("groq")
    (row,) = caller.rows(1)
    assert has(row, provider="groq", endpoint="/audio/transcriptions", model="whisper-large-v3", status=200)
    # $0.111 an hour, and at least ten seconds: 308,333.3 nano-dollars, of which the last has begun.
    assert has(row, usage={"milliseconds": 8471}, costNanos="308334")


@shown("error")
async def test_what_it_refuses_arrives_as_its_own_error(gateway, caller, client):
    error = await failure_of(client.chat.completions.create, model=MODEL, messages=says("Fail with 400"))
    assert type(error) is groq.BadRequestError
    assert "The stand-in fails with 400." in error.message
    gateway.sent("groq")
    (row,) = caller.rows(1)
    assert has(row, provider="groq", model=MODEL, status=400, refusal=None, usage=None, costNanos=None)
