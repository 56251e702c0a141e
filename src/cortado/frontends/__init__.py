"""Model files in and out: prototxt and caffemodel, by our own description of them; and the pictures of the digits."""
