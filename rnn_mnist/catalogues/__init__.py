"""What there is to choose from: torch-free descriptions, each the one place of what it knows."""
