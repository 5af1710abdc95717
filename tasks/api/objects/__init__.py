"""The JSON objects of the API, one a file: a model that documents the shape, and the function that builds it."""
