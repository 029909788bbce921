"""The checks that a change must pass. The coordinator runs them itself; nobody's word counts."""
