"""Hints in the spelling of the command line, where those of the library name Python arguments."""

import re

__all__ = ["spell"]

# What is written for Python, and what the user of a command can do instead. An argument that has
# neither an option nor a variable is left out.
_SPELLINGS: tuple[tuple[str, str], ...] = (
    (r"[Pp]ass (?:model|deployment)='<deployment name>'", "Pass --model DEPLOYMENT"),
    (r"[Pp]ass (?:model|deployment)=…", "Pass --model DEPLOYMENT"),
    (r"endpoint='([^']*)'", r"--endpoint \1"),
    (r"api_version='([^']*)'", r"--api-version \1"),
    (r"Use None, 'v1', 'preview', 'latest' or a date such as '([^']*)'",
     r"Use v1, preview, latest or a date such as \1"),
    (r"or pass '([^']*)'", r"or pass --api-version \1"),
    (r"\bapi_version\b(?! ')", "--api-version"),
    (r"Pass verify='[^']*' or set SSL_CERT_FILE", "Set SSL_CERT_FILE"),
    (r"Pass verify='<([^']*)>'", r"Set SSL_CERT_FILE to the \1"),
    (r"pass api_key \(or set AZURE_OPENAI_API_KEY\)", "set AZURE_OPENAI_API_KEY"),
    (r"Pass it as azure_ad_token \(or set (\w+)\)", r"Set \1 to it"),
    (r"[Pp]ass the key as api_key", "Set AZURE_OPENAI_API_KEY to the key"),
    (r"A key is passed as api_key", "A key is set as AZURE_OPENAI_API_KEY"),
    (r"(L|l)eave api_key out", r"\1eave AZURE_OPENAI_API_KEY unset"),
    (r"or pass a key\b", "or set AZURE_OPENAI_API_KEY"),
    (r"\bazure_ad_token\b", "AZURE_OPENAI_AD_TOKEN"),
    (r"\bapi_key\b", "AZURE_OPENAI_API_KEY"),
    (r"a credential or azure_ad_token_provider does", "`az login` does"),
    (r", or pass allow_insecure=True if the network is trusted", ""),
    (r"[;,] (?:or )?pass scope= if this resource [^.]*", ""),
    (r"(?: Pass )?preview_path=True[^.]*\.", ""),
    (r"Use preview_path only with [^.]*\.", ""),
    (r", or pass truncation='auto' to let the service drop the oldest items", ""),
    (r"\b(?:as )?proxy= or in HTTPS_PROXY", "in HTTPS_PROXY"),
    (r"\bas proxy=", "in HTTPS_PROXY"),
    (r"With store=False pass include=\['([^']*)'\]", r"With `store` false ask for `include` \1"),
    (r"with store=False", "without being stored"),
    (r"Pass extra_headers=\{'([^']*)': '([^']*)'\}\.", r"Send the header \1: \2."),
    (r"`retry_after` seconds", "as long as it says"),
    (r"call responses\.create\b", "use `ask` or `chat`"),
    (r"pass the typed items of `response\.output`", "leave it out of them"),
    (r"; `content_filters` says by which category(?: and severity)?", ""),
)  # fmt: skip


def spell(text: str) -> str:
    """A hint with options and variables instead of the library's arguments."""
    for python, command in _SPELLINGS:
        text = re.sub(python, command, text)
    return text.strip()
