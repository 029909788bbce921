"""What bears our mark and nobody holds any more: found, condemned, and taken back."""
