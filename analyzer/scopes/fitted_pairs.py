"""How likely two issues are to meet; written by `benchmarks/fit_pairs.py`.

Fitted on 56376 pairs of 15 public repositories; on repositories left out of the fit: pair_auc 0.696, pair_ap 0.358,
safest_half 0.572.
"""

RISK = {
    "": -2.670,
    "rare": 0.470,
    "likely": 0.209,
    "folders": 0.263,
    "words": 0.746,
    "named": 0.403,
    "expected": 0.380,
    "commits_met": 0.749,
    "same_commits": 0.636,
    "issues_met": 0.461,
    "same_issues": 0.232,
    "linked": 0.382,
    "cited": 0.533,
    "awaited": 0.510,
    "labels": 0.123,
    "alike_labels": 0.743,
    "features": 0.042,
    "wanted": 1.242,
    "met": 0.576,
    "age": -0.077,
    "breadth": 0.094,
    "usual": 0.050,
}
