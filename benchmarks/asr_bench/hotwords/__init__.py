"""Are rare names heard when they are given as hotwords, and only where somebody says them?"""
