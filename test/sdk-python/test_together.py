import pytest
import together
from both import all_of, done, failure_of
from fidelity import shows
from harness import HELLO, USED, has, says

shown = shows("together", "Together")
MODEL = "meta-llama/Llama-3.3-70B-Instruct-Turbo"
# $0.88 for a million tokens of either kind.
COST = str(18 * 880)


@pytest.fixture(params=[together.Together, together.AsyncTogether], ids=["sync", "async"])
def client(request, caller):
    return request.param()


@shown("plain")
async def test_a_chat_is_answered_metered_and_priced(gateway, caller, client):
    answer = await done(client.chat.completions.create(model=MODEL, messages=says("Say hello")))
    assert answer.choices[0].message.content == HELLO
    assert answer.usage.completion_tokens == 7
    # The SDK puts the version behind a base address that has it already.
    assert gateway.sent("together")["path"] == "/v1/chat/completions"
    (row,) = caller.rows(1)
    assert has(row, provider="together", endpoint="/v1/chat/completions", model=MODEL, status=200)
    assert has(row, userName=caller.name, usage=USED, evidence="reported", costNanos=COST)


@shown("stream")
async def test_a_stream_is_answered_metered_and_priced(gateway, caller, client):
    create = client.chat.completions.create
    options = {"stream": True, "extra_body": {"stream_options": {"include_usage": True}}}
    chunks = await all_of(await done(create(model=MODEL, messages=says("Say hello"), **options)))
    assert "".join(chunk.choices[0].delta.content or "" for chunk in chunks if chunk.choices) == HELLO
    assert chunks[-1].usage.total_tokens == 18
    gateway.sent("together")
    (row,) = caller.rows(1)
    assert has(row, provider="together", model=MODEL, status=200, usage=USED, costNanos=COST)


@shown("upload")
async def test_a_file_goes_to_storage_without_any_key(gateway, caller, client, tmp_path):
    file = tmp_path / "data.jsonl"
    file.write_bytes(b'{"text": "a"}\n' * 1000)
    made = await done(client.files.upload(file=file, purpose="fine-tune", check=False))
    assert made.id.startswith("file-standin-") and made.bytes == 14_000
    assert gateway.sent("together")["path"] == f"/v1/files/{made.id}/preprocess"
    stored = gateway.tell("calls storage")[-1]
    assert (stored["method"], stored["path"]) == ("PUT", f"/bucket/{made.id}?signature=signed")
    assert not {"authorization", "x-api-key", "api-key"} & stored["headers"].keys()
    begun, announced = caller.rows(2)
    assert has(begun, provider="together", method="POST", endpoint="/v1/files", status=302, refusal=None)
    assert has(announced, endpoint=f"/v1/files/{made.id}/preprocess", status=200, refusal=None)


@shown("error")
async def test_what_it_refuses_arrives_as_its_own_error(gateway, caller, client):
    error = await failure_of(client.chat.completions.create, model=MODEL, messages=says("Fail with 400"))
    assert type(error) is together.BadRequestError
    assert "The stand-in fails with 400." in error.message
    gateway.sent("together")
    (row,) = caller.rows(1)
    assert has(row, provider="together", model=MODEL, status=400, refusal=None, usage=None, costNanos=None)
