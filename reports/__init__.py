"""What is told of a run: pure functions from a History and its result.json to text. The root imports nothing."""
