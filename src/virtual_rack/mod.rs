//! A rack of machines on loopback that speak the real protocols.
