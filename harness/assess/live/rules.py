"""How many pairs each rule hides, kept by job; only rules that declare a limit are counted."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable

from harness.assess.moment import overstep
from harness.compare.comparison import Comparison, hidden_pairs
from harness.compare.rules import RuleSet


class HiddenPairs:
    """Pairs that each rule with a limit hides, by job."""

    def __init__(self, rules: RuleSet) -> None:
        self._limited = [rule for rule in rules.rule if rule.expects_at_most is not None]
        self._hidden: dict[str, dict[str, int]] = defaultdict(dict)
        self._total: dict[str, int] = defaultdict(int)

    @property
    def counts_any(self) -> bool:
        """Whether a rule declares a limit."""
        return bool(self._limited)

    def replace(self, jobs: Iterable[str], comparison: Comparison) -> None:
        """Count these jobs anew. comparison: theirs."""
        touched = list(jobs)
        for rule in self._limited:
            found = hidden_pairs(comparison, rule).group_by("job_id").len()
            new = dict(found.iter_rows())
            of_job = self._hidden[rule.name]
            self._total[rule.name] += sum(new.values()) - sum(of_job.pop(job, 0) for job in touched)
            of_job.update(new)

    def oversteps(self, compared: int) -> list[str]:
        """One sentence for each rule over its limit. compared: pairs that are not in flight."""
        sentences = []
        for rule in self._limited:
            limit = rule.allowed(compared)
            if limit is not None and self._total[rule.name] > limit:
                sentences.append(overstep(rule.name, self._total[rule.name], limit))
        return sentences
