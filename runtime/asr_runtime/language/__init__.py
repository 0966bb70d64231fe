"""What is known of the language: words with their letters, and how probable they are."""
