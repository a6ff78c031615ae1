"""The router and a dedicated endpoint, each with the one argument that docs/guides/sdks.md names."""

import os

import pytest
from both import all_of, done, failure_of
from fidelity import shows
from harness import HELLO, USED, has, says
from huggingface_hub import AsyncInferenceClient, InferenceClient
from huggingface_hub.errors import BadRequestError

shown = shows("huggingface_hub", "Hugging Face")
MODEL = "meta-llama/Llama-3.3-70B-Instruct"
# $0.90 for a million tokens of input, $1.20 of output.
COST = str(11 * 900 + 7 * 1200)


@pytest.fixture(params=[InferenceClient, AsyncInferenceClient], ids=["sync", "async"])
def new_client(request, caller):
    return request.param


@pytest.fixture
def router(new_client):
    url, key = os.environ["LMK_URL"], os.environ["LMK_KEY"]
    return new_client(base_url=f"{url}/huggingface/v1", api_key=f"hf_{key}")


@pytest.fixture
def dedicated(new_client):
    url, key = os.environ["LMK_URL"], os.environ["LMK_KEY"]
    return new_client(model=f"{url}/hf-lab", token=f"hf_{key}")


@shown("plain")
async def test_a_chat_at_the_router_is_answered_metered_and_priced(gateway, caller, router):
    answer = await done(router.chat.completions.create(model=MODEL, messages=says("Say hello")))
    assert answer.choices[0].message.content == HELLO
    assert answer.usage.completion_tokens == 7
    assert gateway.sent("huggingface")["path"] == "/v1/chat/completions"
    (row,) = caller.rows(1)
    assert has(row, provider="huggingface", endpoint="/v1/chat/completions", model=MODEL, status=200)
    assert has(row, userName=caller.name, usage=USED, evidence="reported", costNanos=COST)


@shown("stream")
async def test_a_stream_of_the_router_is_answered_metered_and_priced(gateway, caller, router):
    create = router.chat.completions.create
    options = {"stream": True, "stream_options": {"include_usage": True}}
    chunks = await all_of(await done(create(model=MODEL, messages=says("Say hello"), **options)))
    assert "".join(chunk.choices[0].delta.content or "" for chunk in chunks if chunk.choices) == HELLO
    assert chunks[-1].usage.total_tokens == 18
    gateway.sent("huggingface")
    (row,) = caller.rows(1)
    assert has(row, provider="huggingface", model=MODEL, status=200, usage=USED, costNanos=COST)


@shown("error")
async def test_what_the_router_refuses_arrives_as_its_own_error(gateway, caller, router):
    error = await failure_of(router.chat.completions.create, model=MODEL, messages=says("Fail with 400"))
    assert type(error) is BadRequestError
    assert "The stand-in fails with 400." in str(error)
    gateway.sent("huggingface")
    (row,) = caller.rows(1)
    assert has(row, provider="huggingface", model=MODEL, status=400, refusal=None, usage=None)


@shown("plain")
async def test_a_chat_at_a_dedicated_endpoint_uses_that_ones_own_key(gateway, caller, dedicated):
    answer = await done(dedicated.chat_completion(messages=says("Say hello")))
    assert answer.choices[0].message.content == HELLO
    assert gateway.sent("hf-lab")["path"] == "/v1/chat/completions"
    (row,) = caller.rows(1)
    assert has(row, provider="hf-lab", endpoint="/v1/chat/completions", status=200, usage=USED)


async def test_a_text_that_a_dedicated_endpoint_generates_is_metered(gateway, caller, dedicated):
    answer = await done(dedicated.text_generation("Once", details=True))
    assert answer.generated_text == "Hi"
    assert gateway.sent("hf-lab")["path"] == "/"
    (row,) = caller.rows(1)
    assert has(row, provider="hf-lab", endpoint="/", status=200, usage={"input_tokens": 3, "output_tokens": 6})


@shown("upload")
async def test_a_picture_sent_to_a_dedicated_endpoint_is_metered_by_time(gateway, caller, dedicated):
    picture = b"\x89PNG\r\n\x1a\n" + os.urandom(50_000)
    (element,) = await done(dedicated.image_classification(picture))
    assert (element.label, element.score) == ("POSITIVE", 0.99)
    assert gateway.sent("hf-lab")["headers"]["content-length"] == str(len(picture))
    (row,) = caller.rows(1)
    assert has(row, provider="hf-lab", status=200, bytesIn=len(picture), usage={"milliseconds": 500})
