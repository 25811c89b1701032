"""What there is to choose from, each kind of thing in one list; nothing here needs torch."""
