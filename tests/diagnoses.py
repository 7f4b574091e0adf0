"""Wrong attempts at an exercise, each with words of the diagnosis it is due."""


def diagnosed(check, attempts):
    """Assert that every attempt fails, and that its diagnosis has the words it stands under."""
    for words, attempt in attempts.items():
        verdict = check(attempt)
        assert not verdict, words
        assert words in verdict.message, f"{words}: {verdict.message}"
