"""All experiments, those first that find most."""

from __future__ import annotations

from collections.abc import Sequence

from tests.chaos.bulk import bulk, on_time, stats
from tests.chaos.call_log import call_log
from tests.chaos.campaigns import campaigns
from tests.chaos.capacity import capacity
from tests.chaos.caps import caps_race
from tests.chaos.closed_days import days_race
from tests.chaos.do_not_call import wishes_race
from tests.chaos.dry_run import dry_run
from tests.chaos.experiment import Experiment
from tests.chaos.few_connections import few_connections
from tests.chaos.hours import hours_race
from tests.chaos.kills import kills, long_kills
from tests.chaos.leases import leases
from tests.chaos.outage import outage
from tests.chaos.pace import limit, limit_under_kills, operator, order
from tests.chaos.raced_answers import races
from tests.chaos.races import (
    cancels,
    cancels_and_restarts,
    pauses,
    pauses_and_restarts,
    same_request,
)
from tests.chaos.recurring import minutes, ticks
from tests.chaos.shares import shares
from tests.chaos.switch_over import switch_over
from tests.chaos.telephone import (
    account,
    frozen,
    left_to_a_person,
    one_number,
    refused,
    telephone,
    too_late,
)
from tests.chaos.telephone_changes import emptied, moves, wishes
from tests.chaos.troubled_redis import disturbed, failover, full_memory, unfit
from tests.chaos.webhooks import webhooks

EXPERIMENTS: Sequence[Experiment] = (
    Experiment(name="kills", promise="P1 P2 P6 P7", run=kills, rounds=20),
    Experiment(name="long-kills", promise="P1 P2 P6 P7", run=long_kills, short=False),
    Experiment(name="redis-away", promise="P10 P1 P2", run=outage, short=False),
    Experiment(name="redis-disturbed", promise="P1 P2 P10", run=disturbed),
    Experiment(name="failover", promise="P10", run=failover, short=False),
    Experiment(name="switch-over", promise="P10 P1 P2", run=switch_over),
    Experiment(name="few-connections", promise="P1 P10", run=few_connections, short=False),
    Experiment(name="full-memory", promise="P10 P1", run=full_memory),
    Experiment(name="unfit-redis", promise="P1 P10", run=unfit, short=False),
    Experiment(name="telephone", promise="P1 P2", run=telephone),
    Experiment(name="telephone-moves", promise="P2", run=moves, short=False),
    Experiment(name="telephone-wishes", promise="P2 P7", run=wishes),
    Experiment(name="telephone-emptied", promise="P2", run=emptied, short=False),
    Experiment(name="capacity", promise="P10", run=capacity),
    Experiment(name="refused", promise="P10", run=refused, short=False),
    Experiment(name="unknown", promise="P2", run=left_to_a_person, short=False),
    Experiment(
        name="one-number",
        promise="P2",
        run=one_number,
    ),
    Experiment(name="too-late", promise="P2", run=too_late, alone=True),
    Experiment(name="account", promise="P10", run=account),
    Experiment(name="frozen", promise="P2 P9", run=frozen, rounds=2),
    Experiment(name="pauses", promise="P6", run=pauses, short=False),
    Experiment(name="pauses-restarts", promise="P6", run=pauses_and_restarts),
    Experiment(name="cancels", promise="P7", run=cancels, short=False),
    Experiment(name="cancels-restarts", promise="P7", run=cancels_and_restarts),
    Experiment(name="races", promise="P7 P2", run=races),
    Experiment(name="do-not-call", promise="P11", run=wishes_race),
    Experiment(name="hours", promise="P12", run=hours_race, short=False),
    Experiment(name="closed-days", promise="P12", run=days_race),
    Experiment(name="caps", promise="P12", run=caps_race, short=False),
    Experiment(name="campaigns", promise="P13 P1 P2", run=campaigns),
    Experiment(name="shares", promise="P13", run=shares, short=False),
    Experiment(name="dry-run", promise="P13", run=dry_run, short=False),
    Experiment(name="webhooks", promise="P14 P5", run=webhooks),
    Experiment(name="same-request", promise="P2", run=same_request),
    Experiment(name="limit", promise="P3", run=limit, alone=True),
    Experiment(name="limit-kills", promise="P3", run=limit_under_kills, alone=True),
    Experiment(name="operator", promise="P3", run=operator, short=False),
    Experiment(name="order", promise="P4", run=order, alone=True),
    Experiment(name="bulk", promise="P1", run=bulk),
    Experiment(name="stats", promise="P1", run=stats, short=False),
    Experiment(name="log", promise="P10", run=call_log, short=False),
    Experiment(name="leases", promise="P9", run=leases, short=False),
    Experiment(name="ticks", promise="P8", run=ticks),
    Experiment(name="minutes", promise="P8", run=minutes, short=False),
    Experiment(name="on-time", promise="P5", run=on_time),
)
