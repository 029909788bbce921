"""Which paths agents hold."""
