"""What an API that is billed by the token would charge for the same traffic: a comparison line."""

from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from functools import lru_cache

from pricing import tables
from pricing.errors import InvalidArgument


@dataclass(frozen=True, slots=True)
class TokenPrice:
    """The price of tokens at one API.

    Attributes
    ----------
    model : str. Provider and model, or ``yours``.
    prompt_usd_per_million, output_usd_per_million : Decimal. [USD/1e6 tokens]
    as_of : str or None. Date of the reading; None of one's own.
    source : str. The public file it was read from.
    """

    model: str
    prompt_usd_per_million: Decimal
    output_usd_per_million: Decimal
    as_of: str | None
    source: str

    def usd(self, prompt_tokens: int, output_tokens: int) -> Decimal:
        """What so many tokens cost; discounts for cached prompts and batches are left out. [USD]

        >>> token_price("0.5/1.5").usd(2_000_000, 1_000_000)
        Decimal('2.5')
        """
        prompt = self.prompt_usd_per_million * prompt_tokens
        return (prompt + self.output_usd_per_million * output_tokens) / 1_000_000


def token_price(asked: str) -> TokenPrice:
    """The price of tokens at a known API, or one's own.

    Parameters
    ----------
    asked : str. One of `token_models`, such as ``groq/llama-3.1-8b-instant``; or dollars per
        million prompt and output tokens, such as ``0.15/0.60``.

    Raises
    ------
    InvalidArgument
        Neither; the nearest names are given.

    >>> token_price("groq/llama-3.1-8b-instant").prompt_usd_per_million
    Decimal('0.05')
    """
    found = _table().get(asked.lower())
    if found is not None:
        return found
    prompt, slash, output = asked.replace("$", "").replace(" ", "").partition("/")
    try:
        own = [tables.positive(prompt), tables.positive(output)] if slash else []
    except (ValueError, InvalidOperation):
        own = []
    if own:
        return TokenPrice("yours", own[0], own[1], None, "yours (token_api)")
    near = tables.nearest(asked, _table(), cutoff=0.3) or token_models()[:3]
    raise InvalidArgument(
        "token_api",
        asked,
        "dollars per million prompt and output tokens, such as 0.15/0.60, or a known API, such as "
        + ", ".join(near),
    )


def token_models() -> tuple[str, ...]:
    """APIs whose price is held."""
    return tuple(_table())


@lru_cache(maxsize=1)
def _table() -> dict[str, TokenPrice]:
    texts = tables.sources()
    return {
        row["model"]: TokenPrice(
            row["model"],
            tables.positive(row["prompt_usd_per_million"]),
            tables.positive(row["output_usd_per_million"]),
            row["as_of"],
            texts[row["source_id"]],
        )
        for row in tables.read_rows("token_apis.csv")
    }
