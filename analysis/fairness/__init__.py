"""The proof of equal treatment: what every framework put on the wire, held against what it was handed.

`examine.examine` is what the rest of the product uses. It repairs nothing and knows no framework by name, but
`direct`, which adds nothing and so is the reference.
"""
