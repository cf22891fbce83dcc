"""A LiteRT model as a web page: the browser runs the file itself, and no picture leaves the device."""
