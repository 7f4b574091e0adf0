"""What a model is worth: metrics, and predictions on a held-out split."""
