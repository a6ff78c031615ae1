from huggingface_hub import InferenceClient
from told import CONTENT, DIGEST, FAIL, HELLO, tell

client = InferenceClient()
model = "meta-llama/Llama-3.3-70B-Instruct"


def says(content):
    return [{"role": "user", "content": content}]


def stream():
    chunks = client.chat_completion(says(HELLO), model=model, stream=True)
    return "".join(chunk.choices[0].delta.content or "" for chunk in chunks if chunk.choices)


tell(
    plain=lambda: client.chat_completion(says(HELLO), model=model).choices[0].message.content,
    stream=stream,
    upload=lambda: client.image_classification(CONTENT, model="owner/classifier")[0].label == DIGEST,
    error=lambda: client.chat_completion(says(FAIL), model=model),
)
