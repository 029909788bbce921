"""What the lines that agents' programs print mean: pure, and light enough for `status` to read them."""
