"""Issues that were taken up: their states, their claims, and what is written back to the backlog."""
