"""What keeps an agent's writes inside its scope: one rule, asked in four places."""
