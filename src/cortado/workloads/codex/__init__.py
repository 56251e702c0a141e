"""CoDEx, a benchmark of knowledge graph completion: Safavi & Koutra 2020, EMNLP."""
