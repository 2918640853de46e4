"""Who answered: the recovered server, the source, or nobody can tell?

    restore      a nonce that was written there, and that the source does not hold
    failover     a timeline above the source's
    repair       the source's own process, and every damaged row reads right

Attempts that are proven by it are good; surveys that are proven by it say what is present and absent.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from functools import cached_property

from drills.history import surveys as surveying
from drills.history.observed import Observed, Recovery, named, plain_region
from drills.history.surveys import Found, Pair, Presence
from drills.model import (
    AttemptSort,
    Instant,
    ProberRan,
    ProbeTried,
    ServerIdentity,
    ServerLooked,
    Stage,
    Surveyed,
)


class Answer(Enum):
    """What one attempt says of the service; UNPROVEN: somebody took the write, and nobody can tell who."""

    GOOD = "good"
    BAD = "bad"
    UNPROVEN = "unproven"


@dataclass(frozen=True, slots=True)
class Try:
    """One attempt to use the recovered server, or a look that showed no address to try."""

    began: Instant
    seen: ProbeTried | ServerLooked
    answer: Answer


@dataclass(frozen=True)
class Answered(Observed):
    """What a run noted, with the questions of who answered."""

    # --- who answered ----------------------------------------------------------------------------------------

    def on_recovered(self, nonce: str | None, written_by: Instant) -> bool:
        """Tell whether a nonce proves the recovered side of the fork.

        The source was asked after the nonce had been written, and lacks it; asked earlier, it proves nothing.
        """
        asked = self.source_nonces
        return (
            nonce is not None
            and asked is not None
            and asked.began >= written_by
            and nonce not in asked.nonces
        )

    def answer_of(self, attempt: ProbeTried) -> Answer:
        """Say what an attempt shows: that the recovered server is usable, that it is not, or neither.

        A write that was read back, by whom nobody can tell because the source was not asked afterwards, is
        neither: it is no proof that the service was back, and none that it was not.
        """
        if attempt.stage is not Stage.WRITTEN or attempt.ended is None:
            return Answer.BAD
        match self.recovery:
            case Recovery.FAILOVER:
                return self._answer_by_timeline(attempt)
            case Recovery.REPAIR:
                return self._answer_after_repair(attempt)
            case _ if self.source_nonces is None and self.source_asked_in_vain is not None:
                return self._answer_without_source(attempt)
            case _:
                return self._answer_by_nonce(attempt, attempt.ended)

    def _answer_by_nonce(self, attempt: ProbeTried, ended: Instant) -> Answer:
        if self.source_nonces is None or attempt.identity is None or attempt.nonce is None:
            return Answer.UNPROVEN
        if attempt.nonce in self.source_nonces.nonces:
            return Answer.BAD
        if not self.on_recovered(attempt.nonce, ended):
            return Answer.UNPROVEN
        return self._of_the_source_and_writable(attempt.identity)

    def _answer_by_timeline(self, attempt: ProbeTried) -> Answer:
        """In a failover the recovered instance is the one on a timeline above the source's."""
        if attempt.identity is None or self.source_timeline is None or self.source_system_identifier is None:
            return Answer.UNPROVEN
        took = attempt.identity.timeline if attempt.timeline is None else attempt.timeline
        if min(took, attempt.identity.timeline) <= self.source_timeline:
            return Answer.BAD
        return self._of_the_source_and_writable(attempt.identity)

    def _answer_after_repair(self, attempt: ProbeTried) -> Answer:
        """A repaired table is used on the source itself, and every damaged row has to read right."""
        if attempt.identity is None or attempt.right is None or not self.is_source(attempt.identity):
            return Answer.UNPROVEN
        return Answer.GOOD if attempt.right else Answer.BAD

    def _answer_without_source(self, attempt: ProbeTried) -> Answer:
        """Where the source cannot be asked, by the process that the surveys have proven in another way."""
        if attempt.identity is None or self.source_system_identifier is None:
            return Answer.UNPROVEN
        proven = any(attempt.identity == s.identity for s in self.proven_surveys)
        return Answer.GOOD if proven else Answer.UNPROVEN

    def _of_the_source_and_writable(self, identity: ServerIdentity) -> Answer:
        same_origin = identity.system_identifier == self.source_system_identifier
        return Answer.GOOD if same_origin and not identity.in_recovery else Answer.BAD

    def is_source(self, identity: ServerIdentity) -> bool:
        """Tell whether an identity is that of the source's own process."""
        known = [
            asked.identity for asked in (self.source_identified, self.source_nonces) if asked is not None
        ]
        return identity in known

    def is_good(self, attempt: ProbeTried) -> bool:
        """Tell whether an attempt was acknowledged and read back by the recovered server."""
        return self.answer_of(attempt) is Answer.GOOD

    @cached_property
    def source_system_identifier(self) -> str | None:
        """The system identifier of the source, read together with its nonces, or before the disaster."""
        asked = self.source_nonces or self.source_identified
        return asked.identity.system_identifier if asked else None

    # --- attempts --------------------------------------------------------------------------------------------

    def sort_of(self, attempt: ProbeTried) -> AttemptSort:
        """Say what the prober of an attempt holds on to; one without a frame makes new connections."""
        return self._sorts.get(attempt.prober, AttemptSort.NEW)

    @cached_property
    def _sorts(self) -> dict[str, AttemptSort]:
        return {prober.prober: prober.sort for prober in self.probers}

    @cached_property
    def watching(self) -> tuple[ProberRan, ...]:
        """The probers that try to use the recovered server; those that keep to the old one do not."""
        return tuple(prober for prober in self.probers if prober.sort is not AttemptSort.OLD)

    @cached_property
    def tries(self) -> tuple[Try, ...]:
        """Every attempt begun after the disaster, by its beginning.

        A look at the control plane counts where it showed no address. A name that our own resolver *still*
        denies is neither good nor bad and does not appear; one that it denies after a client could use the
        server is as bad for the next client as any other failure.
        """
        if self.disaster is None:
            return ()
        after, first = self.disaster.latest, self.first_good
        asked = (a for a in self._attempts_after(after) if not _still_denied(a, first))
        probes = (Try(a.began, a, self.answer_of(a)) for a in asked)
        hidden = (k for k in self.looks if k.address is None and after < k.began <= self.probing_ended)
        looks = (Try(k.began, k, Answer.BAD) for k in hidden)
        return tuple(sorted((*probes, *looks), key=lambda t: t.began))

    @property
    def probing_ended(self) -> float:
        """When the last prober was stopped; what is looked at later, as in the clean-up, is no attempt."""
        stopped = [prober.stopped for prober in self.watching if prober.stopped is not None]
        return max(stopped) if stopped and len(stopped) == len(self.watching) else float("inf")

    @cached_property
    def first_good(self) -> ProbeTried | None:
        """The first good attempt after the disaster, by its beginning."""
        if self.disaster is None:
            return None
        return next((a for a in self._attempts_after(self.disaster.latest) if self.is_good(a)), None)

    def _attempts_after(self, at: Instant) -> tuple[ProbeTried, ...]:
        found = (a for a in self.attempts if a.began > at and self.sort_of(a) is not AttemptSort.OLD)
        return tuple(sorted(found, key=lambda a: a.began))

    # --- surveys ---------------------------------------------------------------------------------------------

    @cached_property
    def proven_surveys(self) -> tuple[Surveyed, ...]:
        """Surveys that stood on the recovered server, out of recovery, in order.

        Their nonce is not on the source. One that found no table to write a nonce into is proven by the process
        that answered: the same one that acknowledged a good attempt.
        """
        return tuple(s for s in sorted(self.surveys, key=lambda s: s.began) if self._is_proven(s))

    def _is_proven(self, survey: Surveyed) -> bool:
        if survey.identity.in_recovery or survey.identity.system_identifier != self.source_system_identifier:
            return False
        match self.recovery:
            case Recovery.FAILOVER:
                return self.source_timeline is not None and survey.identity.timeline > self.source_timeline
            case Recovery.REPAIR:
                after = self.disaster is not None and survey.began > self.disaster.latest
                return after and self.is_source(survey.identity)
            case _ if self.source_nonces is None and self.source_asked_in_vain is not None:
                return self._is_new_by_its_age(survey)
            case _:
                return self._is_on_the_copy(survey)

    def _is_on_the_copy(self, survey: Surveyed) -> bool:
        if survey.nonce is None:
            return any(survey.identity == a.identity for a in self.attempts if self.is_good(a))
        return self.on_recovered(survey.nonce, survey.ended)

    def _is_new_by_its_age(self, survey: Surveyed) -> bool:
        """Without the source's word: made, started and found where the request said, and nothing newer in it.

        A row that the source acknowledged after the operation had ended cannot be on a copy.
        """
        request, over = self.request, self.operation_ended
        if request is None or over is None or not named(survey.server, request.recovered):
            return False
        asked_utc_s = self._clocks.utc_s(request.began)
        copy = self.description_after
        if asked_utc_s is None or copy is None or copy.created_us is None or self.declared is None:
            return False
        since_us = asked_utc_s * 1e6
        in_place = copy.location is not None and self.declared.paired_region is not None
        later = [m for m in self.acked if m.began > over]
        found = Found(self.run.run_id, (survey,))
        return (
            in_place
            and plain_region(copy.location) == plain_region(self.declared.paired_region)
            and copy.created_us > since_us
            and survey.identity.started_us > since_us
            and not any(found.presence(m) is Presence.PRESENT for m in later)
        )

    @cached_property
    def survey_pairs(self) -> tuple[Pair, ...]:
        """Pairs of proven surveys of one instance, at least one switch-over delay apart, earliest end first."""
        return surveying.pairs(self.proven_surveys, self.switch_over_delay_s)

    @cached_property
    def survey_pair(self) -> Pair | None:
        """The pair that says what is present and absent, or None where nothing can be said."""
        return self.survey_pairs[0] if self.survey_pairs else None

    @cached_property
    def surveys_that_count(self) -> tuple[Surveyed, ...]:
        """All proven surveys of the instance that the pair asked: a later one may contradict the pair."""
        return surveying.of_one_process(self.proven_surveys, self.survey_pairs)

    @cached_property
    def found(self) -> Found:
        """What the surveys of the recovered instance found."""
        return Found(self.run.run_id, self.surveys_that_count)

    @cached_property
    def found_on_copy(self) -> Found:
        """What the surveys of the restored copy found; in a repair that is a tool, and not what is recovered."""
        if self.recovery is not Recovery.REPAIR:
            return self.found
        others = (s for s in self.surveys if not self.is_source(s.identity) and not s.identity.in_recovery)
        proven = [s for s in sorted(others, key=lambda s: s.began) if self.on_recovered(s.nonce, s.ended)]
        return Found(
            self.run.run_id,
            surveying.of_one_process(proven, surveying.pairs(proven, self.switch_over_delay_s)),
        )


def _still_denied(attempt: ProbeTried, first_good: ProbeTried | None) -> bool:
    return attempt.unresolved and (first_good is None or attempt.began < first_good.began)
