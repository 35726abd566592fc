"""What a response consumed, in tokens and tool calls."""

from pydantic import Field

from .mending import Loose
from .model import Model

__all__ = [
    "CacheWriteTokensDetails",
    "CachedTokensDetails",
    "ImageGenerationUsage",
    "InputTokensDetails",
    "OutputTokensDetails",
    "TokenKinds",
    "ToolUsage",
    "Usage",
    "WebSearchUsage",
]


class CacheWriteTokensDetails(Model):
    """Cache writes by how long the cache entry lives."""

    ttl_30m_tokens: int = 0
    ttl_12h_tokens: int = 0


class InputTokensDetails(Model):
    """Input tokens read from and written to the prompt cache; both are part of the total."""

    cached_tokens: int = 0
    cache_write_tokens: int = 0
    cache_write_tokens_details: CacheWriteTokensDetails | None = None


class OutputTokensDetails(Model):
    """Output tokens spent on reasoning; part of the total."""

    reasoning_tokens: int = 0


class Usage(Model):
    """Token counts of one response."""

    input_tokens: int = 0
    # Some gateways send null in place of details.
    input_tokens_details: Loose[InputTokensDetails] = Field(default_factory=InputTokensDetails)
    output_tokens: int = 0
    output_tokens_details: Loose[OutputTokensDetails] = Field(default_factory=OutputTokensDetails)
    total_tokens: int = 0

    @property
    def cached_tokens(self) -> int:
        """Input tokens read from the prompt cache; 0 when the service did not say."""
        return self.input_tokens_details.cached_tokens if self.input_tokens_details else 0

    @property
    def cache_write_tokens(self) -> int:
        """Input tokens written to the prompt cache; 0 when the service did not say."""
        return self.input_tokens_details.cache_write_tokens if self.input_tokens_details else 0

    @property
    def reasoning_tokens(self) -> int:
        """Output tokens spent on reasoning; 0 when the service did not say."""
        return self.output_tokens_details.reasoning_tokens if self.output_tokens_details else 0


class TokenKinds(Model):
    """Tokens by what they encode."""

    image_tokens: int = 0
    text_tokens: int = 0


class CachedTokensDetails(Model):
    """Cached tokens by what they encode."""

    cached_image_tokens: int = 0
    cached_text_tokens: int = 0


class ImageGenerationUsage(Model):
    """Tokens that the image generation tool consumed."""

    input_tokens: int = 0
    input_tokens_details: TokenKinds | None = None
    output_tokens: int = 0
    output_tokens_details: TokenKinds | None = None
    total_tokens: int = 0
    cached_tokens: int | None = None
    cached_tokens_details: CachedTokensDetails | None = None


class WebSearchUsage(Model):
    """Searches that were billed."""

    num_requests: int = 0


class ToolUsage(Model):
    """What hosted tools consumed, counted apart from the model's own tokens."""

    image_gen: ImageGenerationUsage | None = None
    web_search: WebSearchUsage | None = None
