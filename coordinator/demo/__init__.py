"""A sample project that shows the whole product at work, and the demo that runs it.

`sample/` is a small web service with migrations, tests and a backlog; `scripts/` holds what each of its
agents does. Both are plain files that travel with the package: nothing here imports them.
"""
