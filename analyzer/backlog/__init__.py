"""What there is to do: issues as frozen values, every dialect of tracker that they are read from and written to.

The lowest room of the analyzer: it knows nothing of files, plans or agents.
"""
