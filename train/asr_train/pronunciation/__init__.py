"""How words are spoken: dictionary, rules, and a model of spelling for all other words."""
