"""From facts and a request to a plan: the one place where scopes and timing meet. `plan.make_plan` is the door."""
