"""The shared state as Redis sees it: names of keys, Lua scripts, arguments and replies.

Nothing here talks to Redis. The sync and the async store send the same bytes and read the same
replies.

Every key carries the prefix as its hash tag, `{azure-responses}:…`: all the keys of one prefix
live in one slot, so every operation works on a cluster, on the node that owns the slot. Give
routers that need not know of each other different prefixes to spread them.
"""

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from azure_responses.errors import ConfigurationError
from azure_responses.routing.purge_ledger import LedgerEntry, complete_entry, encode_entry
from azure_responses.routing.route_request import Candidate, Reservation, Settlement
from azure_responses.store.interface import list_name

__all__ = [
    "MOST_CANDIDATES",
    "RESERVE",
    "SETTLE",
    "Keys",
    "Script",
    "Write",
    "join_slots",
    "make_write",
    "read_reservation",
    "split_slot",
]

MOST_CANDIDATES = 8
"""Candidates of one reservation: more would delay those of all other callers."""

_NO_LIMIT = -1
# Seconds after which a load has left the window.
_LONGEST_AGE = 60

# The window is a hash: tokens ("<second>t"), requests ("<second>r") and what of the tokens running
# calls have reserved ("<second>o") of each second, their totals, `edge`, the newest second that was
# dropped, and `share`, how much of what was reserved is used in the end. 61 seconds count: the one
# that runs and 60 whole ones, since any 60 seconds reach into 61.
_WINDOW = """
local SPAN = 61
local RUNNING = 1000
local NEWEST = 0.3

local function clock(given)
  if given ~= '' then return tonumber(given) end
  local time = redis.call('TIME')
  return time[1] * 1000 + math.floor(time[2] / 1000)
end

local function names(first, last)
  local fields = {}
  for second = first, last do
    fields[#fields + 1] = second .. 't'
    fields[#fields + 1] = second .. 'r'
    fields[#fields + 1] = second .. 'o'
  end
  return fields
end

local function drop(key, edge, cut, tokens, requests, open)
  local old = names(edge + 1, cut)
  local values = redis.call('HMGET', key, unpack(old))
  for i = 1, #old, 3 do
    tokens = tokens - (tonumber(values[i]) or 0)
    requests = requests - (tonumber(values[i + 1]) or 0)
    open = open - (tonumber(values[i + 2]) or 0)
  end
  redis.call('HDEL', key, unpack(old))
  redis.call('HSET', key, 'edge', cut, 'tokens', tokens, 'requests', requests, 'open', open)
  return tokens, requests, open
end

local function totals(key, second)
  local head = redis.call('HMGET', key, 'edge', 'tokens', 'requests', 'open')
  local edge = tonumber(head[1])
  if not edge then return 0, 0, 0 end
  local cut = second - SPAN
  -- All of it has left the window, or the clock was set back by more than one window.
  if cut >= edge + SPAN or cut <= edge - SPAN then
    redis.call('DEL', key)
    return 0, 0, 0
  end
  local tokens, requests, open = tonumber(head[2]), tonumber(head[3]), tonumber(head[4]) or 0
  if cut > edge then
    tokens, requests, open = drop(key, edge, cut, tokens, requests, open)
  end
  -- Nothing is left of the calls that the share was learnt from.
  if requests == 0 then redis.call('HDEL', key, 'share') end
  return tokens, requests, open
end

local function count(key, now, second, tokens, requests, open)
  if redis.call('HSETNX', key, 'edge', now - SPAN) == 1 then
    redis.call('HSET', key, 'tokens', 0, 'requests', 0)
  end
  redis.call('HINCRBY', key, second .. 't', tokens)
  redis.call('HINCRBY', key, second .. 'r', requests)
  redis.call('HINCRBY', key, second .. 'o', open)
  redis.call('HINCRBY', key, 'tokens', tokens)
  redis.call('HINCRBY', key, 'requests', requests)
  redis.call('HINCRBY', key, 'open', open)
  redis.call('PEXPIRE', key, (SPAN + 1) * 1000)
end
"""

_RESERVE = """
local ms = clock(ARGV[1])
local now = math.floor(ms / 1000)
local candidates = #KEYS / 2
local ends = redis.call('MGET', unpack(KEYS, candidates + 1))

-- Milliseconds until the candidate has room: 0 for at once, nil for never.
local function wait(key, tokens, rpm, tpm)
  if rpm == 0 then return nil end
  local used, made, open = totals(key, now)
  -- A request larger than the limit has to be sent alone, or it never would be.
  local much = tpm >= 0 and used + math.min(tokens, tpm) - tpm or 0
  local many = rpm >= 0 and made + 1 - rpm or 0
  if much <= 0 and many <= 0 then return 0 end
  -- What running calls reserved frees when they end, all but the share that they use.
  local frees = 1 - (tonumber(redis.call('HGET', key, 'share')) or 0)
  local soonest = open > 0 and RUNNING or 0
  much = much - open * frees
  if much <= 0 and many <= 0 then return soonest end
  local values = redis.call('HMGET', key, unpack(names(now - SPAN + 1, now)))
  for i = 1, #values, 3 do
    much = much - (tonumber(values[i]) or 0) + (tonumber(values[i + 2]) or 0) * frees
    many = many - (tonumber(values[i + 1]) or 0)
    if much <= 0 and many <= 0 then
      return math.max(soonest, (now + (i + 2) / 3) * 1000 - ms)
    end
  end
  return SPAN * 1000
end

local reply = {0, now, -1}
for i = 1, candidates do
  reply[i + 3] = math.max(0, (tonumber(ends[i]) or 0) - ms)
end
for i = 1, candidates do
  local tokens = tonumber(ARGV[3 * i - 1])
  local rpm, tpm = tonumber(ARGV[3 * i]), tonumber(ARGV[3 * i + 1])
  local pause = 0
  if rpm >= 0 or tpm >= 0 then pause = wait(KEYS[i], tokens, rpm, tpm) end
  if pause then pause = math.max(pause, reply[i + 3]) end
  if pause == 0 then
    if rpm >= 0 or tpm >= 0 then count(KEYS[i], now, now, tokens, 1, tokens) end
    reply[1] = i
    reply[3] = 0
    return reply
  end
  if pause and (reply[3] < 0 or pause < reply[3]) then reply[3] = pause end
end
return reply
"""

_SETTLE = """
local ms = clock(ARGV[1])
local second, tokens, requests = tonumber(ARGV[2]), tonumber(ARGV[3]), tonumber(ARGV[4])
local open = tonumber(ARGV[10])
if tokens ~= 0 or requests ~= 0 or open ~= 0 then
  local now = math.floor(ms / 1000)
  totals(KEYS[1], now)
  local held = redis.call('HMGET', KEYS[1], second .. 't', second .. 'r', second .. 'o', 'share')
  if second == 0 then
    -- Not reserved here: there was an outage. It counts from when it was known.
    count(KEYS[1], now, now - tonumber(ARGV[9]), tokens, requests, 0)
  elseif held[1] then
    -- Subtracted from 0, because Redis does not take Lua's -0 for a number.
    count(KEYS[1], now, second, math.max(tokens, 0 - held[1]), math.max(requests, 0 - held[2]),
      math.max(0 - open, 0 - (tonumber(held[3]) or 0)))
    if open > 0 and requests == 0 then
      local share = math.min((open + tokens) / open, 1)
      local before = tonumber(held[4]) or share
      redis.call('HSET', KEYS[1], 'share', tostring(before + NEWEST * (share - before)))
    end
  end
end
local pause = tonumber(ARGV[5])
if pause > 0 then
  local old = tonumber(redis.call('GET', KEYS[2])) or 0
  if ms + pause > old then redis.call('SET', KEYS[2], ms + pause, 'PX', pause) end
end
if ARGV[6] ~= '' then
  local left = tonumber(ARGV[7]) - ms
  if left > 0 then
    redis.call('SET', KEYS[3], ARGV[6], 'PX', left)
    for i = 4, #KEYS do
      if ARGV[11] == '' then
        redis.call('ZREMRANGEBYSCORE', KEYS[i], '-inf', ms)
      else
        -- Entries of objects are in the order of creation, and expire or are forgotten in any
        -- other. Three are looked at for each that is added: so those that are left over stay few.
        for _, member in ipairs(redis.call('ZRANDMEMBER', KEYS[i], 3)) do
          if redis.call('EXISTS', ARGV[11] .. member) == 0 then
            redis.call('ZREM', KEYS[i], member)
          end
        end
      end
      redis.call('ZADD', KEYS[i], ARGV[12], ARGV[8])
      if redis.call('PTTL', KEYS[i]) < left then redis.call('PEXPIRE', KEYS[i], left) end
    end
  end
end
return 1
"""


@dataclass(frozen=True, slots=True)
class Script:
    """A Lua script and the name under which Redis keeps it."""

    text: str
    digest: str = field(init=False)

    def __post_init__(self) -> None:
        # SHA-1 because that is how EVALSHA names scripts; nothing is secured by it.
        digest = hashlib.sha1(self.text.encode(), usedforsecurity=False).hexdigest()
        object.__setattr__(self, "digest", digest)


RESERVE = Script(_WINDOW + _RESERVE)
"""Reserve on the first candidate with room. Replies with its number (from 1; 0 for none), the
second, the milliseconds until there is room (-1 for never), and what is left of each
candidate's cooldown."""

SETTLE = Script(_WINDOW + _SETTLE)
"""Correct a reservation, prolong a cooldown, put an entry into the ledger."""


class Keys:
    """The names of one prefix's keys.

    Raises ConfigurationError for a prefix that could not be a hash tag.
    """

    def __init__(self, prefix: str) -> None:
        if not prefix or "{" in prefix or "}" in prefix:
            raise ConfigurationError(
                f"state_prefix is {prefix!r}; it must not be empty or hold braces.",
                hint="Name the application, such as state_prefix='shop-chat'.",
            )
        self._start = f"{{{prefix}}}:"
        self._pairs: dict[str, tuple[str, str]] = {}

    def of_deployment(self, tag: str) -> tuple[str, str]:
        """The window and the cooldown of a deployment."""
        pair = self._pairs.get(tag)
        if pair is None:
            pair = (f"{self._start}window:{tag}", f"{self._start}cooldown:{tag}")
            self._pairs[tag] = pair
        return pair

    def entry(self, response_id: str) -> str:
        """A stored response."""
        return f"{self._start}response:{response_id}"

    def object(self, key: str) -> str:
        """An object."""
        return f"{self._start}object:{key}"

    def text(self, name: str) -> str:
        """A short text."""
        return f"{self._start}text:{name}"

    def objects(self, name: Sequence[str]) -> str:
        """The keys of the objects of an owner or end user, of one kind; see `list_name`."""
        return f"{self._start}objects:{_digest(json.dumps(name))}"

    def stored(self, entry: LedgerEntry) -> str:
        """The key of an entry."""
        return self.entry(entry.key) if entry.is_response else self.object(entry.key)

    def lists(self, entry: LedgerEntry) -> list[str]:
        """The lists that an entry stands in."""
        if entry.is_response:
            return [] if entry.end_user is None else [self.index(entry.end_user)]
        people = [(entry.owner, None), (None, entry.end_user)] if entry.is_listed else []
        return [
            self.objects(list_name(entry.kind, owner, end_user))
            for owner, end_user in people
            if owner is not None or end_user is not None
        ]

    def context(self, stored_id: str) -> str:
        """How many tokens a stored response or conversation has."""
        return f"{self._start}context:{stored_id}"

    def index(self, end_user: str) -> str:
        """The ids of an end user's responses; who it is does not show in the name."""
        # End users are often e-mail addresses, and keys are seen in logs and monitors.
        return f"{self._start}end-user:{_digest(end_user)}"

    def reservation(self, candidates: Sequence[Candidate], clock: int | None) -> list[str | int]:
        """What follows `EVALSHA <digest of RESERVE>`.

        `clock` is unix milliseconds in place of Redis's own, for tests only.
        """
        pairs = [self.of_deployment(candidate.deployment.tag) for candidate in candidates]
        values: list[str | int] = [2 * len(pairs)]
        values += [window for window, _ in pairs]
        values += [cooldown for _, cooldown in pairs]
        values.append("" if clock is None else clock)
        for candidate in candidates:
            values += (
                candidate.tokens,
                _limit(candidate.deployment.rpm),
                _limit(candidate.deployment.tpm),
            )
        return values

    def settlement(self, write: "Write", now: float, clock: int | None) -> list[str | int]:
        """What follows `EVALSHA <digest of SETTLE>`; `now` is on the clock of `write.at`."""
        entry = write.entry
        window, cooldown = self.of_deployment(write.tag)
        lists = self.lists(entry) if entry else []
        ends = round(entry.expires * 1000) if entry else 0
        is_object = entry is not None and not entry.is_response
        return [
            3 + len(lists),
            window,
            cooldown,
            self.stored(entry) if entry else self.entry(""),
            *lists,
            "" if clock is None else clock,
            write.second,
            write.tokens,
            write.requests,
            write.pause(now),
            encode_entry(entry) if entry else "",
            ends,
            entry.key if entry else "",
            min(max(0, int(now - write.at)), _LONGEST_AGE),
            write.reserved,
            self.object("") if is_object else "",
            round(entry.created * 1000) if entry is not None and is_object else ends,
        ]


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()[:32]


def _limit(limit: int | None) -> int:
    return _NO_LIMIT if limit is None else limit


@dataclass(frozen=True, slots=True)
class Write:
    """Something to be written to the shared state when there is time.

    Attributes:
        at: monotonic seconds when it became true.
        tag: the deployment's tag.
        second, tokens, requests: by how much to correct which second of its window; second 0 is
            that of `at`, for what was never reserved here.
        context: the id of something stored, and its tokens; then nothing else counts.
        text: a name and a short text; then nothing else counts.
        reserved: so many tokens of that second are those of a running call no longer.
        cooldown: seconds from `at` of its cooldown.
        entry: a stored response or object to remember.
        forgotten: the name of an entry to forget; then nothing else counts.
    """

    at: float
    tag: str = ""
    second: int = 0
    tokens: int = 0
    requests: int = 0
    cooldown: float = 0.0
    entry: LedgerEntry | None = None
    forgotten: str | None = None
    reserved: int = 0
    context: tuple[str, int] | None = None
    text: tuple[str, str] | None = None

    @property
    def is_correction(self) -> bool:
        """True for a correction of a window and nothing else: worthless after a minute."""
        return not (self.cooldown or self.entry or self.forgotten)

    def pause(self, now: float) -> int:
        """What is left of the cooldown, in milliseconds."""
        return max(0, round((self.at + self.cooldown - now) * 1000)) if self.cooldown else 0


_NONE: Mapping[str, float] = {}


def read_reservation(reply: Sequence[int], candidates: Sequence[Candidate]) -> Reservation:
    """The reservation that RESERVE's reply stands for; its slot is the second of Redis's clock."""
    number, second, wait, *pauses = reply
    cooldowns = _NONE
    if any(pauses):
        pairs = zip(candidates, pauses, strict=True)
        cooldowns = {
            candidate.deployment.id: pause / 1000 for candidate, pause in pairs if pause > 0
        }
    if number:
        return Reservation(candidates[number - 1], second, None, cooldowns)
    return Reservation(None, second, wait / 1000 if wait >= 0 else None, cooldowns)


def make_write(settlement: Settlement, second: int, at: float, now: float) -> Write | None:
    """What a settlement means for the shared state, or None when that is nothing.

    `second` is where it was reserved on Redis's clock. 0 when Redis was out of reach: then the
    call has to be counted in full, so that the limit holds when Redis is back. `at` is monotonic
    and `now` unix seconds.
    """
    deployment = settlement.candidate.deployment
    tokens, requests, reserved = _correction(settlement, second)
    entry, cooldown = settlement.entry, settlement.cooldown or 0.0
    if not (tokens or requests or reserved or entry or cooldown):
        return None
    kept = complete_entry(entry, now) if entry else None
    return Write(at, deployment.tag, second, tokens, requests, cooldown, kept, reserved=reserved)


def _correction(settlement: Settlement, second: int) -> tuple[int, int, int]:
    candidate, refunds = settlement.candidate, settlement.refunds_request
    if candidate.deployment.rpm is None and candidate.deployment.tpm is None:
        return 0, 0, 0
    if second == 0:
        return settlement.used, 0 if refunds else 1, 0
    return settlement.used - candidate.tokens, -1 if refunds else 0, candidate.tokens


# A Settlement has one slot. Redis counts unix seconds and this process monotonic ones, and both
# have to be corrected later.
_LOCAL_BITS = 32


def join_slots(shared: int, local: int) -> int:
    """One slot for a reservation that was counted by Redis and in this process."""
    return shared << _LOCAL_BITS | local


def split_slot(slot: int) -> tuple[int, int]:
    """Redis's second (0 when it was not asked) and this process's."""
    return slot >> _LOCAL_BITS, slot & ((1 << _LOCAL_BITS) - 1)
