import os
import time

import anthropic
import pytest
from both import all_of, done, each, entered, failure_of
from fidelity import shows
from harness import has

shown = shows("anthropic", "Anthropic")
MODEL = "claude-standin-1"
HELLO = "Hello from the stand-in, 你好 👋."


@pytest.fixture(params=[anthropic.Anthropic, anthropic.AsyncAnthropic], ids=["sync", "async"])
def new_client(request):
    return request.param


def says(content):
    return {"model": MODEL, "max_tokens": 64, "messages": [{"role": "user", "content": content}]}


def text_of(message):
    return "".join(block.text for block in message.content if block.type == "text")


@shown("plain")
async def test_a_message_comes_as_sent_and_is_logged_with_who_asked_for_what(caller, new_client):
    raw = await done(new_client().messages.with_raw_response.create(**says("Say hello")))
    message = await done(raw.parse())
    assert text_of(message) == HELLO
    assert message.usage.output_tokens == 7
    request_id = raw.headers["request-id"]
    assert request_id.startswith("req_standin_")
    (row,) = caller.rows(1)
    assert has(
        row,
        id=raw.headers["x-llamakey-request-id"],
        keyId=caller.key_id,
        userName=caller.name,
        provider="anthropic",
        method="POST",
        endpoint="/v1/messages",
        model=MODEL,
        status=200,
        refusal=None,
        ending="complete",
        upstreamRequestId=request_id,
    )


@shown("stream")
async def test_a_stream_arrives_event_by_event_while_the_model_still_speaks(caller, new_client):
    text, arrivals = "", []
    async with entered(new_client().messages.stream(**says("Speak slowly"))) as stream:
        async for piece in each(stream.text_stream):
            arrivals.append(time.monotonic())
            text += piece
        message = await done(stream.get_final_message())
    assert text == text_of(message) == "One two three four five six seven eight nine ten."
    assert message.stop_reason == "end_turn"
    # The stand-in speaks for more than a second; what was held back would come all at once.
    assert arrivals[-1] - arrivals[0] > 0.5
    (row,) = caller.rows(1)
    assert has(row, endpoint="/v1/messages", model=MODEL, status=200, refusal=None, ending="complete")


async def test_a_stream_that_the_client_breaks_off_is_logged_as_its_doing(caller, new_client):
    stream = await done(new_client().messages.create(**says("Speak slowly"), stream=True))
    async for _ in each(stream):
        break
    await done(stream.close())
    (row,) = caller.rows(1)
    assert has(row, status=200, refusal=None, ending="client_closed")


async def test_a_tool_call_goes_to_the_client_and_its_result_back(caller, new_client):
    client = new_client()
    tools = [
        {
            "name": "get_weather",
            "input_schema": {"type": "object", "properties": {"city": {"type": "string"}}},
        }
    ]
    question = says("What is the weather?")
    first = await done(client.messages.create(**question, tools=tools))
    assert first.stop_reason == "tool_use"
    (use,) = [block for block in first.content if block.type == "tool_use"]
    assert (use.name, use.input) == ("get_weather", {"city": "Paris"})
    result = {"type": "tool_result", "tool_use_id": use.id, "content": "sunny"}
    question["messages"] += [
        {
            "role": "assistant",
            "content": [{"type": "tool_use", "id": use.id, "name": use.name, "input": use.input}],
        },
        {"role": "user", "content": [result]},
    ]
    second = await done(client.messages.create(**question, tools=tools))
    assert text_of(second) == "It is sunny in Paris."
    for row in caller.rows(2):
        assert has(row, status=200, ending="complete")


async def test_tokens_are_counted(caller, new_client):
    messages = says("Say hello")["messages"]
    count = await done(new_client().messages.count_tokens(model=MODEL, messages=messages))
    assert count.input_tokens > 0
    (row,) = caller.rows(1)
    assert has(row, endpoint="/v1/messages/count_tokens", model=MODEL, status=200)


@shown("upload")
async def test_an_uploaded_file_comes_back_byte_for_byte(caller, new_client):
    client = new_client()
    content = os.urandom(60_000)
    file = await done(client.files.upload(file=("données 1.pdf", content, "application/pdf")))
    assert (file.size_bytes, file.filename, file.mime_type) == (
        len(content),
        "données 1.pdf",
        "application/pdf",
    )
    answer = await done(client.files.download(file.id))
    assert await done(answer.read()) == content
    await done(client.files.delete(file.id))
    created, read, deleted = caller.rows(3)
    assert has(created, method="POST", endpoint="/v1/files", status=200, refusal=None)
    assert has(read, method="GET", endpoint=f"/v1/files/{file.id}/content", status=200, bytesOut=len(content))
    assert has(deleted, method="DELETE", endpoint=f"/v1/files/{file.id}", status=200)


async def test_a_list_is_read_page_by_page_to_its_end(caller, new_client):
    models = await all_of(new_client().models.list(limit=2))
    assert [model.id for model in models] == [f"claude-standin-{number}" for number in range(1, 6)]
    # Never the query: it may hold what its author would not want to see in a log.
    for row in caller.rows(3):
        assert has(row, endpoint="/v1/models", status=200)


async def test_the_results_of_a_batch_come_through_the_gateway_and_the_key_goes_nowhere_else(
    gateway, caller, new_client
):
    client = new_client()
    requests = [{"custom_id": name, "params": says("Say hello")} for name in ("first", "second")]
    batch = await done(client.messages.batches.create(requests=requests))
    assert batch.results_url == f"{gateway.url}/anthropic/v1/messages/batches/{batch.id}/results"
    results = await all_of(await done(client.messages.batches.results(batch.id)))
    assert [text_of(one.result.message) for one in results] == ["Result of first", "Result of second"]
    assert gateway.tell("trapped") == 0
    created, shown, read = caller.rows(3)
    assert has(created, method="POST", endpoint="/v1/messages/batches", status=200)
    assert has(shown, method="GET", endpoint=f"/v1/messages/batches/{batch.id}", status=200)
    assert has(read, method="GET", endpoint=f"/v1/messages/batches/{batch.id}/results", status=200)


@pytest.mark.parametrize(
    ("status", "error_class", "error_type"),
    [
        (400, anthropic.BadRequestError, "invalid_request_error"),
        (404, anthropic.NotFoundError, "not_found_error"),
        (429, anthropic.RateLimitError, "rate_limit_error"),
        (500, anthropic.InternalServerError, "api_error"),
    ],
)
@shown("error")
async def test_what_the_provider_refuses_arrives_as_its_own_error(
    caller, new_client, status, error_class, error_type
):
    client = new_client().with_options(max_retries=0)
    error = await failure_of(client.messages.create, **says(f"Fail with {status}"))
    assert type(error) is error_class
    assert error.status_code == status
    assert error.body["error"] == {"type": error_type, "message": f"The stand-in fails with {status}."}
    assert error.request_id.startswith("req_standin_")
    assert "x-llamakey-refusal" not in error.response.headers
    (row,) = caller.rows(1)
    assert has(
        row, model=MODEL, status=status, refusal=None, ending="complete", upstreamRequestId=error.request_id
    )


async def test_a_real_key_that_the_provider_rejects_is_the_gateways_trouble(caller, new_client):
    error = await failure_of(new_client().messages.create, **says("Fail with 401"))
    assert isinstance(error, anthropic.InternalServerError)
    assert (error.status_code, error.body["error"]["details"]["error_code"]) == (502, "credential_rejected")
    assert "stand-in" not in error.message
    # One row: to send the same rejected key again helps nobody.
    (row,) = caller.rows(1)
    assert has(row, status=502, refusal="credential_rejected", ending="refused")
