"""How likely two issues are to meet; written by `benchmarks/fit_pairs.py`.

Fitted on 56376 pairs of 15 public repositories; on repositories left out of the fit: pair_auc 0.693, pair_ap 0.354,
safest_half 0.567.
"""

RISK = {
    "": -2.595,
    "rare": 0.439,
    "likely": 0.227,
    "folders": 0.236,
    "words": 0.729,
    "named": 0.400,
    "expected": 0.310,
    "commits_met": 0.734,
    "same_commits": 0.629,
    "issues_met": 0.460,
    "same_issues": 0.232,
    "linked": 0.380,
    "cited": 0.536,
    "awaited": 0.506,
    "labels": 0.121,
    "alike_labels": 0.728,
    "features": 0.043,
    "wanted": 1.090,
    "met": 0.557,
    "age": -0.076,
    "breadth": 0.101,
    "usual": 0.059,
}
