"""The commands and hooks: they read arguments, call the rooms, and print the answer."""
