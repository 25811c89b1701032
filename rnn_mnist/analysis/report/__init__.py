"""One HTML file that holds all of a sweep: question, tables, figures, interactive views, failures and provenance."""
