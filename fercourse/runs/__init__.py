"""What a run is: its row in the ledger, the claims of the paper beside it, and their statistics."""
