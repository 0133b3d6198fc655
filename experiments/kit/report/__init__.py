"""How a chosen model did on rows nobody touched: figures, tables and sections of the pages."""
