"""The server of texts: drafts, social listening and conversations, apart from decisions, as a draft takes seconds."""
