"""What is used, and whether that is too much."""
