"""What the pages of every command share: numbers in words, figures, markup, styles, templates."""
