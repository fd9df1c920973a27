"""Why a version that the gate found better changes nothing for its users."""
