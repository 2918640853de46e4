"""Do the engine and the stand-alone verifier come to the same figures, over many simulated histories?

    $ python -m benchmarks.agreement --histories 200000

Each history is one of the simulator with up to three things changed (`tests/verifier/variations.py`), and has a
seed of its own. Exits with 1 if they disagree on one; its seed and both values are printed.
"""

from __future__ import annotations

import argparse
import sys
from collections import Counter
from concurrent.futures import ProcessPoolExecutor

from tests.verifier.both import judged_by_both
from tests.verifier.variations import varied

A_BATCH = 50


def main() -> int:
    """Judge each history twice, print what differs, and how much was compared."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--histories", type=int, default=2000, metavar="N", help="histories [2000]")
    parser.add_argument("--first-seed", type=int, default=0, metavar="N", help="the first one's seed [0]")
    parser.add_argument("--jobs", type=int, default=2, metavar="N", help="processes side by side [2]")
    args = parser.parse_args()
    end = args.first_seed + args.histories
    batches = [range(at, min(at + A_BATCH, end)) for at in range(args.first_seed, end, A_BATCH)]
    verdicts: Counter[str] = Counter()
    values = disagreeing = 0
    with ProcessPoolExecutor(args.jobs) as pool:
        for found in pool.map(_compare, batches):
            for seed, verdict, compared, differing in found:
                verdicts[verdict] += 1
                values += compared
                disagreeing += bool(differing)
                for one in differing:
                    print(f"seed {seed}  {one}", flush=True)
    told = ", ".join(f"{count} {verdict}" for verdict, count in sorted(verdicts.items()))
    print(f"{args.histories} histories ({told}), {values} values compared, {disagreeing} histories disagree")
    return 1 if disagreeing else 0


def _compare(seeds: range) -> list[tuple[int, str, int, list[str]]]:
    found = []
    for seed in seeds:
        both = judged_by_both(*varied(seed))
        found.append((seed, both.verdict, len(both.comparisons), both.disagreements))
    return found


if __name__ == "__main__":
    sys.exit(main())
