
from told import CONTENT, DIGEST, tell
from vectara import KeyedSearchCorpus, SearchCorporaParameters, Vectara

client = Vectara()


def search(corpus):
    return SearchCorporaParameters(corpora=[KeyedSearchCorpus(corpus_key=corpus)])


def stream():
    events = client.queries.query_stream(query="who?", search=search("mine"))
    return "".join(event.generation_chunk for event in events if event.type == "generation_chunk")


tell(
    plain=lambda: client.queries.query(query="who?", search=search("mine")).summary,
    stream=stream,
    upload=lambda: client.upload.file("mine", file=("d.pdf", CONTENT)).id == f"d.pdf-{DIGEST}",
    error=lambda: client.queries.query(query="who?", search=search("theirs")),
)
