"""Asks the gateway by the client that the first argument names; nothing is configured but the environment."""

import os
import sys

URL = os.environ["ASK_URL"]


def by_httpx():
    import httpx

    assert httpx.get(URL).text == "ok\n"


def by_requests():
    import requests

    assert requests.get(URL).text == "ok\n"


def by_aiohttp():
    import asyncio

    import aiohttp

    async def ask():
        async with aiohttp.ClientSession() as session, session.get(URL) as answer:
            assert await answer.text() == "ok\n"

    asyncio.run(ask())


def by_urllib():
    from urllib.request import urlopen

    assert urlopen(URL).read() == b"ok\n"


def by_botocore():
    """What boto3 is made of. The gateway is no AWS; that it answers is enough."""
    import botocore.session
    from botocore.exceptions import ClientError

    origin = URL.rsplit("/", 1)[0]
    secrets = {"aws_access_key_id": "fake", "aws_secret_access_key": "fake"}
    client = botocore.session.Session().create_client("dynamodb", "us-east-1", endpoint_url=origin, **secrets)
    try:
        client.list_tables()
    except ClientError as error:
        assert error.response["ResponseMetadata"]["HTTPStatusCode"] in (403, 404, 405), error
    else:
        raise AssertionError("The gateway is no AWS.")


def by_grpc():
    import grpc

    channel = grpc.secure_channel(os.environ["ASK_GRPC"], grpc.ssl_channel_credentials())
    grpc.channel_ready_future(channel).result(timeout=5)


globals()[f"by_{sys.argv[1]}"]()
print("trusted")
