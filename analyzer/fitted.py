"""How likely two issues are to meet; written by `benchmarks/fit_scope.py`.

Fitted on 25128 pairs of 15 public repositories; on repositories left out of the fit: pair_auc 0.678, pair_ap 0.341,
safest_half 0.607.
"""

RISK = {
    "": -3.09,
    "files": 1.27,
    "order": 1.07,
    "words": 0.97,
    "siblings": 0.31,
    "linked": 0.23,
    "cited": 0.63,
    "labels": 1.28,
    "named": 0.84,
    "precedents": 1.88,
}
