"""Social listening: what people say about brands, how that changes, and alarms at a stated rate of false ones."""
