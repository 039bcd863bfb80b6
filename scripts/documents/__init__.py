"""What `scripts/document.py` makes: the page of all options, and the pictures of the pages."""
