import voyageai
from told import FAIL, HELLO, tell

client = voyageai.Client()

tell(
    plain=lambda: len(client.embed([HELLO], model="voyage-3.5").embeddings),
    error=lambda: client.embed([FAIL], model="voyage-3.5"),
)
