"""Calls that rules hold: woken when the rules have changed."""

from __future__ import annotations

from vomind_queue.queue import keys
from vomind_queue.queue.connection import RedisStore
from vomind_queue.rules.law import HOLDING, Why

#: Calls that one script wakes: it must not hold the server for 5 ms.
BATCH = 100
#: Kinds of rules that the hours of a campaign have a part in.
_OF_CAMPAIGNS = (Why.CAMPAIGN_HOURS, Why.UNKNOWN_ZONE, Why.NO_HOURS, Why.CAP)
_OTHERS = tuple(why for why in HOLDING if why not in _OF_CAMPAIGNS)


class HeldCalls:
    """What a worker sees to as it starts, and when a day was opened or a campaign's hours changed.

    It may have come with other rules.
    """

    def __init__(self, store: RedisStore, digest: str) -> None:
        """``digest`` of the rules that hold now."""
        self._store = store
        self._digest = digest
        #: Whether calls that other rules held may still wait.
        self.pending = True

    def wake(self) -> int:
        """Have some judged again; return how many. After the last, nothing is pending."""
        _, woken = self._store.write(
            "wake_held",
            [keys.RULES],
            *(self._digest, BATCH, len(_OF_CAMPAIGNS), *_OF_CAMPAIGNS, *_OTHERS),
        )
        self.pending = woken > 0
        return int(woken)
