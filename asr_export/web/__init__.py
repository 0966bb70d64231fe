"""A model as a page that transcribes inside the browser."""
