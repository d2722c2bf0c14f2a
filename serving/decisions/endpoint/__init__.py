"""The engine over HTTP: who asks, what is asked, from which features and models it is answered, and how fast."""
