"""What went on, as text, SVG and HTML, from the events in the ledger. Pure."""
