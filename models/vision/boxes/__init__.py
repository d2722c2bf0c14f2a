"""Where things are in pictures, learnt from boxes that people drew: the packaged detector looks at a picture, and a new
last layer says what its likeliest cells show and moves their boxes."""
