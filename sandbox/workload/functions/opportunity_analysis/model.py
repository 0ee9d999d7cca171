"""Ask a language model on Bedrock."""

from __future__ import annotations

from botocore.exceptions import BotoCoreError, ClientError

from .clients import client
from .errors import ModelUnavailableError
from .settings import Settings


def ask(settings: Settings, wanted: str, instruction: str, question: str) -> str:
    """The model's answer. Raises ModelUnavailableError naming the model that was asked."""
    model = settings.model(wanted)
    try:
        answer = client("bedrock-runtime", settings.model_attempts).converse(
            modelId=model,
            system=[{"text": instruction}],
            messages=[{"role": "user", "content": [{"text": question}]}],
            inferenceConfig={"maxTokens": settings.max_output_tokens, "temperature": 0.0},
        )
    except (BotoCoreError, ClientError) as error:
        raise ModelUnavailableError(f"bedrock {model}: {error}") from error
    text = "".join(block.get("text", "") for block in answer["output"]["message"]["content"])
    if not text:
        raise ModelUnavailableError(f"bedrock {model}: empty answer ({answer['stopReason']})")
    return text
