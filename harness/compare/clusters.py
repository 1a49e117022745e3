"""Groups differences by one short description each, ranked by how many they explain. Pure."""

from __future__ import annotations

import hashlib
from collections import Counter, defaultdict
from collections.abc import Sequence

from harness.assessment import Cluster, Difference

TITLES = {
    "candidate_failed": "Control submitted, candidate failed",
    "control_failed": "Candidate submitted, control failed",
    "captcha": "Control submitted, candidate met a captcha",
    "timeout": "Control submitted, candidate timed out",
    "missing_candidate": "Control finished, candidate stayed silent",
    "missing_control": "Candidate finished, control stayed silent",
    "wrong_value": "Candidate sent another {field}",
    "error_class": "Both failed, for different reasons",
    "other_word": "Same outcome in words that no rule brings together",
    "slow": "Candidate slower than the ceiling",
}


def cluster_differences(differences: Sequence[Difference]) -> tuple[Cluster, ...]:
    """Clusters by (mode, kind, field), largest first; ids are stable over time."""
    groups: dict[tuple[str, str, str], list[Difference]] = defaultdict(list)
    for difference in differences:
        groups[difference.mode, difference.kind, difference.field].append(difference)
    per_mode = Counter(difference.mode for difference in differences)
    clusters = [
        Cluster(
            id=hashlib.sha256("\x1f".join(key).encode()).hexdigest()[:8],
            title=TITLES[key[1]].format(field=key[2].removeprefix("values.")),
            mode=key[0],
            kind=key[1],
            field=key[2],
            size=len(members),
            share=len(members) / per_mode[key[0]],
            jobs=len({member.job_id for member in members}),
            directories=len({member.directory for member in members}),
            examples=tuple(member.id for member in members[:3]),
        )
        for key, members in groups.items()
    ]
    return tuple(sorted(clusters, key=lambda c: (-c.size, c.mode, c.kind, c.field)))
