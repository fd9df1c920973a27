"""What every part of clickloop stands on. Imports no other part."""
