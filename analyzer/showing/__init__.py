"""A plan for people and for other programs: text, JSON, Mermaid, Graphviz, SVG and one HTML page. Decides nothing."""
