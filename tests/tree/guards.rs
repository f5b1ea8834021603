//! Second thoughts: deletions and changes that a living cluster would not survive, or refuse.
