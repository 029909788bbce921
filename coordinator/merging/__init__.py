"""One queue, one writer of the base branch."""
