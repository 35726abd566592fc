"""A stand-in for Entra ID: mints signed access tokens, and checks their signatures."""

from collections.abc import Sequence
from functools import cache
from typing import TYPE_CHECKING, Any

from azure_responses.emulator.resources import TENANT
from azure_responses.emulator.timing import Clock

if TYPE_CHECKING:
    from azure.core.credentials import AccessToken
    from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey

__all__ = ["AsyncEmulatorCredential", "EmulatorCredential", "TokenIssuer", "PRINCIPAL", "USER_ROLE"]

PRINCIPAL = "99999999-aaaa-bbbb-cccc-dddddddddddd"
USER_ROLE = "Cognitive Services OpenAI User"
_KEY_NAME = "emulator-signing-key"
# Tokens whose signature was checked.
_REMEMBERED = 1024


@cache
def _signing_key() -> "RSAPrivateKey":
    # One for the process: making it takes a tenth of a second, and it never leaves the process.
    from cryptography.hazmat.primitives.asymmetric import rsa

    return rsa.generate_private_key(public_exponent=65537, key_size=2048)


class TokenIssuer:
    """Mints RS256 tokens such as Entra ID issues for an application."""

    def __init__(self, clock: Clock, tenant: str = TENANT) -> None:
        self._clock = clock
        self._tenant = tenant
        self._verified: dict[str, dict[str, Any]] = {}

    def mint(
        self,
        audience: str = "https://cognitiveservices.azure.com",
        *,
        tenant: str | None = None,
        roles: Sequence[str] = (USER_ROLE,),
        object_id: str = PRINCIPAL,
        lifetime: float = 3600.0,
        starts_in: float = 0.0,
    ) -> str:
        """A signed token.

        Args:
            audience: the `aud` claim.
            tenant: the `tid` claim; the issuer's own where None.
            roles: stand in for the principal's role assignments on the resource.
            object_id: the principal.
            lifetime: seconds until it expires; negative for one that already has.
            starts_in: seconds until it becomes valid.
        """
        import jwt

        now = self._clock.now()
        tenant = tenant or self._tenant
        claims = {
            "aud": audience,
            "iss": f"https://sts.windows.net/{tenant}/",
            "iat": int(now),
            "nbf": int(now + starts_in),
            "exp": int(now + lifetime),
            "oid": object_id,
            "sub": object_id,
            "tid": tenant,
            "roles": list(roles),
            "ver": "1.0",
        }
        return jwt.encode(claims, _signing_key(), algorithm="RS256", headers={"kid": _KEY_NAME})

    def read(self, token: str) -> dict[str, Any] | None:
        """The claims of a token this issuer signed, valid or not; None for any other."""
        known = self._verified.get(token)
        if known is None:
            known = _verify(token)
            if known is None:
                return None
            # A signature takes longer to check than all else; old tokens rarely come back.
            if len(self._verified) >= _REMEMBERED:
                self._verified.clear()
            self._verified[token] = known
        return known


def _verify(token: str) -> dict[str, Any] | None:
    import jwt

    # `access` compares the times with the emulator's clock; here the machine's would count.
    options: Any = {name: False for name in ("verify_exp", "verify_nbf", "verify_iat")}
    # The audience depends on the surface, which only `access` knows.
    options["verify_aud"] = False
    try:
        claims: dict[str, Any] = jwt.decode(
            token, _signing_key().public_key(), algorithms=["RS256"], options=options
        )
    except jwt.InvalidTokenError:
        return None
    return claims


class EmulatorCredential:
    """A synchronous `TokenCredential` whose tokens the emulator takes.

    `options` are those of `TokenIssuer.mint`; the audience is that of the scope unless given.
    `calls` lists the scopes of every request, for tests of caching.
    """

    def __init__(self, issuer: TokenIssuer, clock: Clock, **options: Any) -> None:
        self._issuer = issuer
        self._clock = clock
        self._options = options
        self.calls: list[tuple[str, ...]] = []

    def get_token(self, *scopes: str, **_options: Any) -> "AccessToken":
        """A token for the scopes, as azure.core describes the method."""
        from azure.core.credentials import AccessToken

        self.calls.append(scopes)
        options = dict(self._options)
        if scopes:
            options.setdefault("audience", scopes[0].removesuffix("/.default"))
        lifetime = options.get("lifetime", 3600.0)
        return AccessToken(self._issuer.mint(**options), int(self._clock.now() + lifetime))

    def close(self) -> None:
        """Nothing is held open."""

    def __enter__(self) -> "EmulatorCredential":
        return self

    def __exit__(self, *_details: object) -> None:
        self.close()


class AsyncEmulatorCredential:
    """The asynchronous twin of `EmulatorCredential`."""

    def __init__(self, issuer: TokenIssuer, clock: Clock, **options: Any) -> None:
        self._twin = EmulatorCredential(issuer, clock, **options)

    @property
    def calls(self) -> list[tuple[str, ...]]:
        """The scopes of each call so far."""
        return self._twin.calls

    async def get_token(self, *scopes: str, **options: Any) -> "AccessToken":
        """A token for the scopes, as azure.core describes the method."""
        return self._twin.get_token(*scopes, **options)

    async def close(self) -> None:
        """Nothing is held open."""

    async def __aenter__(self) -> "AsyncEmulatorCredential":
        return self

    async def __aexit__(self, *_details: object) -> None:
        await self.close()
