from tavily import TavilyClient
from told import FAIL, tell

client = TavilyClient()

tell(
    plain=lambda: client.search("who?")["results"][0]["title"],
    stream=lambda: b"".join(client.research("who?", stream=True)).decode(),
    error=lambda: client.search(FAIL),
)
