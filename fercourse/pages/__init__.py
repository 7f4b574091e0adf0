"""Every page that is written from results, so that no number in prose can drift."""
