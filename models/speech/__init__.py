"""Speech in English: sound to text, text to sound. All but reading and writing sound needs the extra `voice`."""
