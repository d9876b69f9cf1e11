"""What one node knows of one node: generation, heartbeat, versioned keys, tombstones (van Renesse et al. 2008, §3).

Law 1: within a generation the keys stand in rising version order, so "newer than v" is a tail and a cut tail is legal.
Law 2: a higher generation replaces everything; a lower one is never merged.
Law 3: a collected tombstone leaves `gc_version`: whoever is behind it is reset, because what it still holds may be buried here.
"""

from __future__ import annotations

from cluster.core.errors import UsageError
from cluster.core.gossip.messages import Delta, Digest, KeyValue
from cluster.core.types import KEY_BYTES_MAX, Micros, NodeId

# One key always fits a message, and a hundred nodes with all their keys stay within tens of megabytes.
GOSSIP_VALUE_BYTES_MAX = 1_024
GOSSIP_KEYS_MAX = 256


class Known:
    """One node's state as far as it is known here. Mutated only by the gossip machine that owns it."""

    __slots__ = ("_digest", "_pulse", "gc_version", "generation", "graves", "heartbeat", "keys", "max_version", "node")

    def __init__(self, node: NodeId, generation: int, heartbeat: int = 0) -> None:
        self.node = node
        self.generation = generation
        self.heartbeat = heartbeat
        self.max_version = 0
        self.gc_version = 0
        self.keys: dict[str, KeyValue] = {}  # in rising version order
        self.graves: dict[str, Micros] = {}  # tombstone -> when it may be collected, in order of burial
        self._digest: Digest | None = None
        self._pulse: Delta | None = None

    def digest(self) -> Digest:
        """How much is known; cached until something changes."""
        if self._digest is None:
            self._digest = Digest(self.node, self.generation, self.heartbeat, self.max_version, self.gc_version)
        return self._digest

    def pulse(self) -> Delta:
        """The heartbeat alone, for a receiver that already has every key; cached like the digest."""
        if self._pulse is None:
            version = self.max_version
            self._pulse = Delta(self.node, self.generation, self.heartbeat, self.gc_version, (), version, version)
        return self._pulse

    def beat(self, heartbeat: int) -> None:
        assert heartbeat > self.heartbeat
        self.heartbeat = heartbeat
        self._digest = self._pulse = None

    # ---- the owner's own keys ---------------------------------------------------------------------------------------

    def put(self, key: str, value: str) -> KeyValue:
        """Publish. Raises `UsageError` (nothing happened) when key, value or their number exceeds the bounds."""
        if len(key.encode()) > KEY_BYTES_MAX or len(value.encode()) > GOSSIP_VALUE_BYTES_MAX:
            raise UsageError(f"a gossip key holds {KEY_BYTES_MAX} bytes of name and {GOSSIP_VALUE_BYTES_MAX} of value at most")
        if key not in self.keys and len(self.keys) >= GOSSIP_KEYS_MAX:
            raise UsageError(f"a node gossips at most {GOSSIP_KEYS_MAX} keys")
        entry = KeyValue(key, value, self.max_version + 1)
        self._place(entry, 0)
        return entry

    def bury(self, key: str, collect_us: Micros) -> None:
        """Turn a living key into a tombstone that may be collected at `collect_us`; others stay as they are."""
        entry = self.keys.get(key)
        if entry is not None and not entry.deleted:
            self._place(KeyValue(key, "", self.max_version + 1, deleted=True), collect_us)

    def collect(self, now: Micros) -> None:
        """Drop the tombstones whose grace is over."""
        while self.graves:
            key, collect_us = next(iter(self.graves.items()))
            if collect_us > now:
                return
            del self.graves[key]
            self.gc_version = max(self.gc_version, self.keys.pop(key).version)
            self._digest = self._pulse = None

    # ---- exchange ---------------------------------------------------------------------------------------------------

    def newer_than(self, version: int) -> list[KeyValue]:
        """Keys above `version`, in rising version order. Costs only the keys it returns."""
        tail: list[KeyValue] = []
        if version >= self.max_version:
            return tail
        for entry in reversed(self.keys.values()):
            if entry.version <= version:
                break
            tail.append(entry)
        tail.reverse()
        return tail

    def start_for(self, receiver: Digest) -> int:
        """From which version on `receiver` (same generation) must be told: 0 when it has to be reset (Law 3)."""
        behind_collection = receiver.max_version < self.gc_version and receiver.gc_version < self.gc_version
        return 0 if behind_collection else receiver.max_version

    def merge(self, delta: Delta, collect_us: Micros) -> list[KeyValue]:
        """Take a delta of this generation: the keys that were news here. `collect_us` dates its tombstones."""
        assert delta.generation == self.generation
        if self._must_reset(delta):
            self.keys.clear()
            self.graves.clear()
            self.max_version, self.gc_version = 0, delta.gc_version
            self._digest = self._pulse = None
        if delta.from_version > self.max_version:
            return []  # a gap: what lies between would be lost for ever
        news = self._take(delta.keys, collect_us)
        reached = not delta.keys or self.max_version >= delta.keys[-1].version
        if reached and not delta.truncated and delta.max_version > self.max_version:
            # The sender's newest versions were tombstones that it has collected.
            self.max_version = delta.max_version
            self._digest = self._pulse = None
        return news

    def _must_reset(self, delta: Delta) -> bool:
        behind = self.max_version < delta.gc_version and self.gc_version < delta.gc_version
        brings = delta.from_version == 0 and delta.max_version > self.max_version and bool(delta.keys or not delta.truncated)
        return behind and brings

    def _take(self, keys: tuple[KeyValue, ...], collect_us: Micros) -> list[KeyValue]:
        news: list[KeyValue] = []
        for entry in keys:
            if entry.version <= self.max_version:
                continue
            if entry.key not in self.keys and len(self.keys) >= GOSSIP_KEYS_MAX:
                break  # stopping early is a truncated delta, which is legal
            self._place(entry, collect_us)
            news.append(entry)
        return news

    def _place(self, entry: KeyValue, collect_us: Micros) -> None:
        assert entry.version > self.max_version
        # Re-inserting keeps the dict in version order (Law 1); the same holds for the graves and time.
        self.keys.pop(entry.key, None)
        self.graves.pop(entry.key, None)
        self.keys[entry.key] = entry
        if entry.deleted:
            self.graves[entry.key] = collect_us
        self.max_version = entry.version
        self._digest = self._pulse = None
