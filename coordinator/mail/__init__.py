"""What agents tell each other, and which paths they hold."""
