"""Stores that ship with handfast. A host may write its own: see ``handfast.Store``."""
